// `topology`: what the job reads, keeps and writes.
#include <cstdio>

#include <nlohmann/json.hpp>

#include "actors/commands/commands.hpp"

namespace weir {

int topology_command(const application&, const configuration& how, bool json) {
  auto& job = how.job;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  for (auto& each : job.inputs())
    inputs.push_back(job.topic(each));
  for (auto& each : job.outputs())
    outputs.push_back(job.topic(each));
  std::vector<std::string> internals;
  for (auto& each : job.internals())
    internals.push_back(job.topic(each));
  if (json) {
    nlohmann::ordered_json out{{"job", job.name()},
                               {"inputs", inputs},
                               {"internal", internals},
                               {"stores", job.stores()},
                               {"outputs", outputs},
                               {"changelog", job.changelog()},
                               {"dead_letter", job.dead_letter()}};
    std::printf("%s\n", out.dump().c_str());
    return finish_output();
  }
  auto list = [](const char* what, const std::vector<std::string>& names) {
    for (auto& each : names)
      std::printf("  %-11s %s\n", what, each.c_str());
  };
  std::printf("job %s: one task for each partition of its inputs\n",
              job.name().c_str());
  list("input", inputs);
  list("internal", internals);
  list("store", job.stores());
  list("output", outputs);
  list("changelog", {job.changelog()});
  list("dead letter", {job.dead_letter()});
  return finish_output();
}

} // namespace weir
