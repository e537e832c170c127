#include "runtime/embedded/log/log_state.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

namespace weir {

namespace {

using nlohmann::json;

/// Kafka's names, and the values that hold where a topic says nothing. Time and
/// size limits are off: what is written stays until somebody says otherwise.
const std::map<std::string, std::string>& defaults() {
  static const std::map<std::string, std::string> all{
      {"cleanup.policy", "delete"},
      {"delete.retention.ms", "86400000"},
      {"max.message.bytes", "1048588"},
      {"message.timestamp.type", "CreateTime"},
      {"min.compaction.lag.ms", "0"},
      {"retention.bytes", "-1"},
      {"retention.ms", "-1"},
  };
  return all;
}

failure bad_setting(const std::string& topic, const std::string& name,
                    const std::string& value, const std::string& allowed) {
  return fail(ec::bad_argument, "topic '" + topic + "': " + name + "=" + value +
                                    " is not possible here; use " + allowed);
}

result<void> parse_cleanup(const std::string& topic, const std::string& value,
                           topic_policy& out) {
  out.expire = value.find("delete") != std::string::npos;
  out.compact = value.find("compact") != std::string::npos;
  if (value == "delete" || value == "compact" || value == "compact,delete" ||
      value == "delete,compact")
    return {};
  return bad_setting(topic, "cleanup.policy", value,
                     "delete, compact or compact,delete");
}

result<void> parse_number(const std::string& topic, const std::string& name,
                          const std::string& value, std::int64_t least,
                          std::int64_t& out) {
  auto* end = value.data() + value.size();
  auto [at, failed] = std::from_chars(value.data(), end, out);
  if (failed == std::errc{} && at == end && out >= least)
    return {};
  return bad_setting(topic, name, value,
                     "a whole number of at least " + std::to_string(least));
}

} // namespace

result<topic_policy> parse_policy(const std::string& topic,
                                  const topic_settings& settings) {
  topic_policy out;
  auto config = settings.config;
  config.insert(defaults().begin(), defaults().end());
  auto cleanup = parse_cleanup(topic, config["cleanup.policy"], out);
  if (!cleanup)
    return fail(cleanup.error());
  const struct {
    const char* name;
    std::int64_t least;
    std::int64_t* value;
  } numbers[] = {
      {"retention.ms", -1, &out.retention_ms},
      {"retention.bytes", -1, &out.retention_bytes},
      {"delete.retention.ms", 0, &out.delete_retention_ms},
      {"min.compaction.lag.ms", 0, &out.compaction_lag_ms},
      {"max.message.bytes", 0, &out.max_message_bytes},
  };
  for (auto& x : numbers) {
    auto parsed =
        parse_number(topic, x.name, config[x.name], x.least, *x.value);
    if (!parsed)
      return fail(parsed.error());
  }
  auto& type = config["message.timestamp.type"];
  out.append_time = type == "LogAppendTime";
  if (!out.append_time && type != "CreateTime")
    return bad_setting(topic, "message.timestamp.type", type,
                       "CreateTime or LogAppendTime");
  // The bytes of a partition with superseded records in it are not counted.
  if (out.compact && out.retention_bytes >= 0)
    return bad_setting(topic, "retention.bytes", config["retention.bytes"],
                       "-1 for a compacted topic");
  return out;
}

// -- log_partition

bool log_partition::arm(std::int64_t position,
                        const std::shared_ptr<wake_slot>& slot) {
  std::lock_guard lock{mutex_};
  if (limits_.high != position)
    return false;
  if (!slot->armed)
    armed_.push_back(slot);
  slot->armed = true;
  return true;
}

void log_partition::disarm(const std::shared_ptr<wake_slot>& slot) {
  std::lock_guard lock{mutex_};
  std::erase(armed_, slot);
}

log_format::bounds log_partition::limits() const {
  std::lock_guard lock{mutex_};
  return limits_;
}

void log_partition::publish(log_format::bounds limits, wake_list& wake) {
  std::lock_guard lock{mutex_};
  limits_ = limits;
  for (auto& slot : armed_) {
    slot->armed = false;
    wake.push_back(std::move(slot));
  }
  armed_.clear();
}

// -- log_topic

std::string encode(const log_topic& topic) {
  return json{{"version", 1},
              {"id", topic.id},
              {"partitions", topic.settings.partitions},
              {"config", topic.settings.config}}
      .dump();
}

result<std::shared_ptr<log_topic>> decode_topic(const std::string& name,
                                                std::string_view bytes) {
  auto broken = [&](const std::string& why) {
    return fail(ec::bad_format,
                "topic '" + name +
                    "' of the embedded log cannot be read: " + why);
  };
  auto topic = std::make_shared<log_topic>();
  topic->name = name;
  try {
    auto stored = json::parse(bytes);
    if (stored.at("version").get<int>() != 1)
      return broken("another version than 1");
    topic->id = stored.at("id").get<std::uint32_t>();
    topic->settings.partitions = stored.at("partitions").get<int>();
    topic->settings.replication = 1;
    topic->settings.config =
        stored.at("config").get<std::map<std::string, std::string>>();
  } catch (const json::exception& x) {
    return broken(x.what());
  }
  auto policy = parse_policy(name, topic->settings);
  if (!policy)
    return fail(policy.error());
  topic->policy = *policy;
  topic->settings.config.insert(defaults().begin(), defaults().end());
  for (int i = 0; i < topic->settings.partitions; ++i)
    topic->partitions.push_back(std::make_unique<log_partition>(
        log_format::partition_id{topic->id, i}));
  return topic;
}

std::string name_of(const log_topic& topic, std::int32_t partition) {
  return "topic '" + topic.name + "' partition " + std::to_string(partition);
}

} // namespace weir
