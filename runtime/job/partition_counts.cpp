#include "runtime/job/partition_counts.hpp"

namespace weir {

namespace {

/// "partition 8", "partitions 8 to 15"
std::string range(int first, int last) {
  auto from = std::to_string(first);
  return first == last ? "partition " + from
                       : "partitions " + from + " to " + std::to_string(last);
}

cluster_finding grown(const std::string& topic, int created_with, int now) {
  return {"input topic '" + topic + "' has " + std::to_string(now) +
              " partitions, the job was created with " +
              std::to_string(created_with) + ": " +
              range(created_with, now - 1) +
              (now - created_with == 1 ? " is" : " are") +
              " not read, and keys that went there leave their state "
              "behind",
          "a job keeps its count: `reset` it or start it under another name, "
          "both process again what the inputs still have; until then let "
          "producers write to " +
              range(0, created_with - 1) + " only"};
}

cluster_finding shrunk(const std::string& topic, int created_with, int now) {
  return {"input topic '" + topic + "' has " + std::to_string(now) +
              " partitions, the job was created with " +
              std::to_string(created_with) +
              ": it was made anew, and is not what the state comes from",
          "restore the topic, or `reset` the job"};
}

} // namespace

result<partition_counts> count_partitions(stream_system& streams,
                                          const job& of) {
  partition_counts out;
  for (auto& declared : of.inputs()) {
    auto topic = of.topic(declared);
    auto there = streams.describe_topic(topic);
    if (!there)
      return fail(there.error());
    out[topic] = *there ? std::optional{(*there)->partitions} : std::nullopt;
  }
  return out;
}

std::vector<cluster_finding> compare_partitions(int created_with,
                                                const partition_counts& now) {
  std::vector<cluster_finding> out;
  for (auto& [topic, count] : now)
    if (!count)
      out.push_back({"input topic '" + topic + "' does not exist any more",
                     "restore the topic, or stop the job and `reset` it"});
    else if (*count > created_with)
      out.push_back(grown(topic, created_with, *count));
    else if (*count < created_with)
      out.push_back(shrunk(topic, created_with, *count));
  return out;
}

} // namespace weir
