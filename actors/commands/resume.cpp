// `resume`: what becomes of a parked task (rule H28).
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

#include "actors/commands/commands.hpp"
#include "actors/commands/parked_tasks.hpp"
#include "runtime/job/topics.hpp"

namespace weir {

namespace {

using parked_tasks = std::map<int, result<found_parked>>;

std::string utc(std::int64_t ms) {
  auto seconds = static_cast<std::time_t>(ms / 1'000);
  std::tm parts{};
  char text[32] = "";
  if (gmtime_r(&seconds, &parts) != nullptr)
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

void print_task(int partition, const parked_node& x, bool as_json) {
  if (as_json) {
    auto out = nlohmann::json::parse(encode(x));
    out["task"] = partition;
    std::printf("%s\n", out.dump().c_str());
    return;
  }
  std::printf("task %d: parked: %s\n  %s\n  by %s, %s, after %d attempts\n",
              partition, cause_of(x).c_str(), x.why.c_str(), x.who.c_str(),
              utc(x.when_ms).c_str(), x.attempts);
  for (auto& each : x.kept)
    std::printf("  still to be carried out: %s of %s: %s\n",
                std::string{to_string(each.decision)}.c_str(),
                place_of(each, partition).c_str(), each.why.c_str());
  if (!x.decided())
    return;
  std::printf("  decided: %s, by %s, %s%s%s\n",
              std::string{to_string(x.decision)}.c_str(), x.decided_by.c_str(),
              utc(x.decided_ms).c_str(), x.reason.empty() ? "" : ": ",
              x.reason.c_str());
}

int list(const parked_tasks& parked, bool as_json) {
  for (auto& [partition, found] : parked)
    if (found)
      print_task(partition, found->node, as_json);
    else
      std::fprintf(stderr, "weir: task %d: %s\n", partition,
                   found.error().text().c_str());
  if (parked.empty())
    std::fprintf(stderr, "weir: no task is parked\n");
  return finish_output();
}

error not_parked(int partition, const parked_tasks& parked) {
  std::string others;
  for (auto& [p, found] : parked)
    others += (others.empty() ? "" : ", ") + std::to_string(p);
  return {ec::not_found,
          "task " + std::to_string(partition) + " is not parked; " +
              (others.empty() ? "no task is" : "parked: " + others)};
}

const char* effect_of(const parked_node& x) {
  switch (x.decision) {
  case parked_decision::skip:
    return x.kind == parked_kind::lost_input
               ? "goes on behind the gap"
               : "passes the record without processing it";
  case parked_decision::dead_letter:
    return "writes the record to the dead-letter topic and passes it";
  default:
    return "tries again";
  }
}

/// Before the decision: its owner writes there in the transaction that passes
/// the record.
result<void> prepare(const configuration& how, outside_systems& systems,
                     const job_node& node, parked_decision what) {
  if (what != parked_decision::dead_letter)
    return {};
  return ensure_dead_letter_topic(*systems.streams, how.job, node.partitions);
}

result<int> decide(const configuration& how, outside_systems& systems,
                   const resume_options& options) {
  auto session = waiting_session::open(*systems.coordination);
  if (!session)
    return fail(session.error());
  auto job = read_job_node(**session, how.job);
  if (!job)
    return fail(job.error());
  auto parked = read_all_parked(**session, how.job);
  if (!parked)
    return fail(parked.error());
  if (!options.task)
    return list(*parked, options.json);
  auto p = *options.task;
  if (p >= job->partitions)
    return fail(ec::bad_argument, "the job has tasks 0 to " +
                                      std::to_string(job->partitions - 1));
  auto found = parked->find(p);
  if (found == parked->end())
    return fail(not_parked(p, *parked));
  if (!found->second)
    return fail(found->second.error());
  auto& node = found->second->node;
  // Shown also where the decision is refused.
  if (!options.json)
    print_task(p, node, false);
  if (auto fits = check_decision(node, options.decision); !fits)
    return fail(fits.error().within("task " + std::to_string(p)));
  if (auto ready = prepare(how, systems, *job, options.decision); !ready)
    return fail(ready.error());
  auto note = decide_now(options.decision, options.reason, *systems.world);
  auto decided = write_decision(**session, how.job, p, note);
  if (!decided)
    return fail(decided.error());
  if (options.json)
    print_task(p, *decided, true);
  bool ours =
      decided->decided_by == note.by && decided->decided_ms == note.at_ms;
  auto live = live_members(**session, how.job, *systems.world);
  std::fprintf(stderr, "weir: task %d: %s: its next owner %s%s\n", p,
               ours ? "decided" : "nothing to do, that is decided",
               effect_of(*decided),
               live && live->empty() ? ", at the next `run`" : "");
  return finish_output();
}

} // namespace

int resume_command(const configuration& how, const resume_options& options) {
  auto systems = open_systems(how.settings);
  if (!systems)
    return report(systems.error());
  auto code = decide(how, *systems, options);
  close_systems(*systems);
  return code ? *code : report(code.error());
}

} // namespace weir
