#include "runtime/kafka/configuration.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include <fmt/format.h>

#include "runtime/base/clock.hpp"

namespace weir::kafka {

namespace {

struct setting {
  const char* name;
  const char* value;
};

/// Every handle. Reconnects soon after an outage (the default backs off to
/// 10 s), and never makes a broker create a topic.
constexpr setting common_settings[] = {
    {"allow.auto.create.topics", "false"},
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "1000"},
    {"socket.timeout.ms", "30000"},
    {"topic.metadata.propagation.max.ms", "10000"},
    {"log.connection.close", "false"},
};

constexpr setting consumer_settings[] = {
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},
    {"fetch.error.backoff.ms", "100"},
    // Every queued record keeps the whole answer that it came in. With 4 MiB a
    // node needs a tenth more memory and is no faster, with 1 MiB it is slower.
    {"fetch.max.bytes", "2097152"},
};

constexpr std::size_t least_read_ahead = 32u << 10;
constexpr std::size_t most_read_ahead = 64u << 20;
/// From here on a partition may fill its queue between two long polls.
constexpr std::size_t ample_read_ahead = 1u << 20;

/// Records above the limit of their topic are refused by `send`, so the
/// handle's own limit is out of the way.
constexpr setting producer_settings[] = {
    {"acks", "all"},
    {"batch.size", "1000000"},
    {"delivery.report.only.error", "false"},
    {"enable.idempotence", "true"},
    {"message.max.bytes", "100000000"},
    {"partitioner", "murmur2_random"},
    {"retry.backoff.ms", "50"},
};

/// librdkafka's queues count the bytes of keys and values only. A record's own
/// bookkeeping is larger than a small record: this many bytes of the bound for
/// each keep millions of them from waiting in it.
constexpr std::size_t least_record_bytes = 64;
/// The same of a producer's queue, where the records are the task's own: some
/// forty thousand with the usual bound. More of them small are no faster.
constexpr std::size_t least_sent_bytes = 768;

/// A producer says itself when what is not a full batch leaves
/// (departures.hpp). In case it does not: the client does so too, unless that
/// would be too late.
constexpr std::int64_t client_linger_ms = 60'000;

/// What the protocol depends on (docs/invariants.md: L1, L2, L10, R4), and the
/// aliases under which librdkafka knows it.
constexpr auto reserved = std::to_array<std::string_view>({
    "acks",
    "allow.auto.create.topics",
    "auto.commit.enable",
    "auto.offset.reset",
    "bootstrap.servers",
    "check.crcs",
    "client.id",
    "delivery.report.only.error",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "isolation.level",
    "linger.ms",
    "metadata.broker.list",
    "partitioner",
    "queue.buffering.max.ms",
    "request.required.acks",
    "transaction.timeout.ms",
    "transactional.id",
});

template <std::size_t N>
result<void> set_all(configuration& out, const setting (&settings)[N]) {
  for (auto& each : settings)
    if (auto done = out.set(each.name, each.value); !done)
      return done;
  return {};
}

result<void> set_properties(configuration& out, const kafka_options& options) {
  for (auto& [name, value] : options.properties)
    if (auto done = out.set(name, value); !done)
      return done;
  return {};
}

result<configuration> common_configuration(const kafka_options& options) {
  configuration out;
  if (auto done = set_all(out, common_settings); !done)
    return fail(done.error());
  if (auto done = out.set("bootstrap.servers", options.brokers); !done)
    return fail(done.error());
  if (auto done = out.set("client.id", options.client_id); !done)
    return fail(done.error());
  return out;
}

/// librdkafka refuses a socket or message timeout above that of transactions.
result<void> cap(configuration& out, const char* name, std::int64_t limit) {
  auto value = out.get(name);
  if (value && std::stoll(*value) > limit)
    return out.set(name, std::to_string(limit));
  return {};
}

/// After all that may change the record's time-out.
result<void> set_linger(configuration& out, std::chrono::milliseconds wanted) {
  std::int64_t linger = wanted.count() > 0 ? client_linger_ms : 0;
  if (auto done = out.set("linger.ms", std::to_string(linger)); !done)
    return done;
  // 0: a record waits for ever.
  std::int64_t limit = std::stoll(*out.get("message.timeout.ms"));
  return limit > 0 ? cap(out, "linger.ms", limit / 2) : result<void>{};
}

/// What a transaction's life bounds.
result<void> set_transactional(configuration& out,
                               const producer_options& wanted) {
  auto limit = wanted.transaction_timeout.count();
  if (auto done = out.set("transactional.id", wanted.transactional_id); !done)
    return done;
  if (auto done = out.set("transaction.timeout.ms", std::to_string(limit));
      !done)
    return done;
  for (auto* name : {"socket.timeout.ms", "message.timeout.ms"})
    if (auto done = cap(out, name, limit); !done)
      return done;
  return {};
}

} // namespace

configuration::configuration() : conf_{rd_kafka_conf_new()} {}

result<void> configuration::set(const std::string& name,
                                const std::string& value) {
  char why[512] = {};
  auto answer = rd_kafka_conf_set(conf_.get(), name.c_str(), value.c_str(), why,
                                  sizeof why);
  if (answer == RD_KAFKA_CONF_OK)
    return {};
  if (answer == RD_KAFKA_CONF_UNKNOWN)
    return fail(ec::bad_argument,
                fmt::format("Kafka property '{}' is unknown to librdkafka {}",
                            name, rd_kafka_version_str()));
  return fail(ec::bad_argument,
              fmt::format("Kafka property '{}': {}", name, why));
}

std::optional<std::string> configuration::get(const std::string& name) const {
  char value[512];
  std::size_t size = sizeof value;
  if (rd_kafka_conf_get(conf_.get(), name.c_str(), value, &size) !=
      RD_KAFKA_CONF_OK)
    return std::nullopt;
  return std::string{value};
}

result<void> check_properties(const kafka_options& options) {
  if (options.brokers.empty())
    return fail(ec::bad_argument, "no Kafka broker given, such as host:9092");
  for (auto& [name, value] : options.properties)
    if (std::ranges::find(reserved, name) != reserved.end())
      return fail(ec::bad_argument,
                  fmt::format("Kafka property '{}' is set by weir itself and "
                              "cannot be changed: remove it",
                              name));
  configuration scratch;
  return set_properties(scratch, options);
}

consumer_kind kind_of(const reader_options& options) noexcept {
  auto bytes =
      std::clamp(options.read_ahead_bytes, least_read_ahead, most_read_ahead);
  return {options.level, std::bit_floor(bytes)};
}

result<configuration> consumer_configuration(const kafka_options& options,
                                             const consumer_kind& kind) {
  auto out = common_configuration(options);
  if (!out)
    return out;
  if (auto done = set_all(*out, consumer_settings); !done)
    return fail(done.error());
  // Nobody joins this group: librdkafka assigns no partition without a name.
  auto group = "weir-reader-" + random_id(*make_outside_world());
  if (auto done = out->set("group.id", group); !done)
    return fail(done.error());
  auto* level = kind.level == isolation::read_committed ? "read_committed"
                                                        : "read_uncommitted";
  auto fetch = std::min<std::size_t>(kind.read_ahead, 1u << 20);
  const std::pair<const char*, std::string> own[] = {
      {"isolation.level", level},
      // Kept full by `consumer`'s helper thread: 2.0.2 sleeps up to 1 s once a
      // limit is reached.
      {"queued.max.messages.kbytes", std::to_string(kind.read_ahead / 1024)},
      {"queued.min.messages",
       std::to_string(kind.read_ahead / least_record_bytes)},
      {"fetch.message.max.bytes", std::to_string(fetch)},
      // An idle long poll holds back requests of other partitions.
      {"fetch.wait.max.ms", kind.read_ahead < ample_read_ahead ? "20" : "50"},
  };
  for (auto& [name, value] : own)
    if (auto done = out->set(name, value); !done)
      return fail(done.error());
  if (auto done = set_properties(*out, options); !done)
    return fail(done.error());
  // librdkafka wants room for one message in an answer, however large those
  // may be by the user's properties.
  auto most = std::stoll(*out->get("message.max.bytes"));
  if (std::stoll(*out->get("fetch.max.bytes")) < most)
    if (auto done = out->set("fetch.max.bytes", std::to_string(most)); !done)
      return fail(done.error());
  return out;
}

result<configuration> producer_configuration(const kafka_options& options,
                                             const producer_options& wanted) {
  auto out = common_configuration(options);
  if (!out)
    return out;
  if (auto done = set_all(*out, producer_settings); !done)
    return fail(done.error());
  auto kbytes = std::max<std::size_t>(wanted.queue_bytes / 1024, 1);
  auto records =
      std::max<std::size_t>(wanted.queue_bytes / least_sent_bytes, 1'000);
  const std::pair<const char*, std::string> own[] = {
      {"queue.buffering.max.kbytes", std::to_string(kbytes)},
      {"queue.buffering.max.messages", std::to_string(records)},
  };
  for (auto& [name, value] : own)
    if (auto done = out->set(name, value); !done)
      return fail(done.error());
  if (auto done = set_properties(*out, options); !done)
    return fail(done.error());
  if (!wanted.transactional_id.empty())
    if (auto done = set_transactional(*out, wanted); !done)
      return fail(done.error());
  if (auto done = set_linger(*out, wanted.linger); !done)
    return fail(done.error());
  return out;
}

} // namespace weir::kafka
