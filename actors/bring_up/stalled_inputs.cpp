#include "actors/bring_up/stalled_inputs.hpp"

namespace weir {

std::vector<stalled_input>
stalled_inputs::look(const std::vector<partition_ends>& ends,
                     std::int64_t now_ms, milliseconds patience) {
  std::vector<stalled_input> out;
  std::map<std::pair<std::string, int>, seen> next;
  for (auto& each : ends) {
    if (each.stable >= each.high)
      continue;
    std::pair key{each.topic, each.partition};
    auto known = seen_.find(key);
    bool still = known != seen_.end() && known->second.stable == each.stable;
    auto since = still ? known->second.since_ms : now_ms;
    next[key] = {each.stable, since};
    if (now_ms - since >= patience.count())
      out.push_back({each, since});
  }
  // Who is not asked about any more goes on: it is forgotten.
  seen_ = std::move(next);
  return out;
}

std::string find_hanging(const settings& how, const std::string& topic,
                         int partition) {
  return "kafka-transactions.sh --bootstrap-server " + how.kafka +
         " describe-producers --topic " + topic + " --partition " +
         std::to_string(partition);
}

} // namespace weir
