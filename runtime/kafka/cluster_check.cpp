#include "runtime/kafka/cluster_check.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "runtime/kafka/topics.hpp"

namespace weir::kafka {

namespace {

constexpr auto transaction_topic = "__transaction_state";
/// From three brokers on the loss of one must lose nothing.
constexpr int safe_brokers = 3;
constexpr int safe_replication = 3;
constexpr int safe_in_sync = 2;

std::string value_of(const std::map<std::string, std::string>& settings,
                     const std::string& name) {
  auto found = settings.find(name);
  return found == settings.end() ? std::string{} : found->second;
}

/// "3.9-IV0" -> {3, 9}
std::optional<std::pair<int, int>> version_of(std::string_view text) {
  int major = 0;
  int minor = 0;
  auto* end = text.data() + text.size();
  auto [dot, good] = std::from_chars(text.data(), end, major);
  if (good != std::errc{} || dot == end || *dot != '.')
    return std::nullopt;
  if (std::from_chars(dot + 1, end, minor).ec != std::errc{})
    return std::nullopt;
  return std::pair{major, minor};
}

} // namespace

void judge_topic(const std::string& topic, const topic_settings& found,
                 int brokers, std::vector<cluster_finding>& out) {
  bool internal = topic == transaction_topic;
  if (brokers >= safe_brokers && found.replication < safe_replication)
    out.push_back(
        {fmt::format("topic '{}' has {} copies of each partition, not {}: the "
                     "loss of a broker can lose committed state",
                     topic, found.replication, safe_replication),
         fmt::format("reassign its partitions to {} brokers each "
                     "(kafka-reassign-partitions){}",
                     safe_replication,
                     internal ? ", and set "
                                "transaction.state.log.replication.factor=3"
                              : "")});
  auto in_sync = value_of(found.config, "min.insync.replicas");
  if (brokers >= safe_brokers && !in_sync.empty() &&
      std::atoi(in_sync.c_str()) < safe_in_sync)
    out.push_back(
        {fmt::format("topic '{}' has min.insync.replicas={}: a write can be "
                     "acknowledged by one broker alone",
                     topic, in_sync),
         internal ? "set transaction.state.log.min.isr=2 on the brokers and "
                    "min.insync.replicas=2 on the topic"
                  : "set min.insync.replicas=2 on the topic"});
  if (value_of(found.config, "unclean.leader.election.enable") == "true")
    out.push_back(
        {fmt::format("topic '{}' has unclean.leader.election.enable=true: a "
                     "stale copy can become the leader and committed records "
                     "vanish",
                     topic),
         "set unclean.leader.election.enable=false on the topic"});
}

void judge_broker(int id, const std::map<std::string, std::string>& settings,
                  std::vector<cluster_finding>& out) {
  // The setting went away with 4.0.
  auto text = value_of(settings, "inter.broker.protocol.version");
  if (text.empty())
    return;
  auto version = version_of(text);
  if (version && *version >= std::pair{3, 6})
    return;
  out.push_back(
      {fmt::format("broker {} speaks protocol version {}: before 3.6 a delayed "
                   "request can reopen a finished transaction",
                   id, text),
       "upgrade the brokers to 3.6 or later and raise "
       "inter.broker.protocol.version"});
}

result<std::vector<cluster_finding>>
check_cluster(handle& with, const std::vector<std::string>& changelogs,
              deadline until) {
  auto brokers = ask_brokers(with, until);
  if (!brokers)
    return fail(brokers.error().within("check of the cluster"));
  std::vector<cluster_finding> out;
  auto topics = changelogs;
  topics.emplace_back(transaction_topic);
  for (auto& topic : topics) {
    auto found = describe_topic(with, topic, until);
    if (found && *found) {
      judge_topic(topic, **found, static_cast<int>(brokers->size()), out);
    } else if (found) {
      out.push_back({fmt::format("topic '{}' does not exist", topic),
                     topic == transaction_topic
                         ? "check after the first transactional producer"
                         : "create it, or let the job create it"});
    } else if (found.error().code() == ec::rejected) {
      out.push_back({fmt::format("topic '{}' cannot be checked: {}", topic,
                                 found.error().text()),
                     "allow Describe and DescribeConfigs on the topic"});
    } else {
      return fail(found.error().within("check of the cluster"));
    }
  }
  for (auto id : *brokers) {
    auto settings = describe_config(with, RD_KAFKA_RESOURCE_BROKER,
                                    std::to_string(id), until);
    if (settings)
      judge_broker(id, *settings, out);
    else if (settings.error().code() == ec::rejected)
      out.push_back({fmt::format("broker {} cannot be checked: {}", id,
                                 settings.error().text()),
                     "allow DescribeConfigs on the cluster"});
    else
      return fail(settings.error().within("check of the cluster"));
  }
  return out;
}

} // namespace weir::kafka
