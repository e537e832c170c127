// The stream system: hands out readers and producers, asks the cluster.
#include <algorithm>
#include <map>
#include <mutex>
#include <string>

#include <fmt/format.h>

#include "runtime/kafka/cluster_check.hpp"
#include "runtime/kafka/configuration.hpp"
#include "runtime/kafka/consumer.hpp"
#include "runtime/kafka/groups.hpp"
#include "runtime/kafka/kafka.hpp"
#include "runtime/kafka/producer.hpp"
#include "runtime/kafka/reader.hpp"
#include "runtime/kafka/requests.hpp"
#include "runtime/kafka/topics.hpp"
#include "runtime/kafka/transaction.hpp"

namespace weir {

namespace kafka {

namespace {

/// Owns the client handles of a process. A few consumers as a rule: one for
/// each kind of reader, and one at the high watermark, which also answers what
/// has to be answered while the others wait in a long poll.
class kafka_system final : public stream_system {
public:
  explicit kafka_system(kafka_options options)
      : options_{std::move(options)}, outage_{std::make_shared<outage>(
                                          options_.brokers)} {}

  result<void> start() {
    auto asked = consumer_at({isolation::read_uncommitted}, 0);
    if (!asked)
      return fail(asked.error());
    questions_ = (*asked)->shared_client();
    return {};
  }

  std::string describe() const override { return "kafka " + options_.brokers; }

  result<std::optional<topic_settings>>
  describe_topic(const std::string& topic) override {
    return kafka::describe_topic(*questions_, topic, limit());
  }
  result<void> create_topic(const std::string& topic,
                            const topic_settings& settings) override {
    return kafka::create_topic(*questions_, topic, settings, limit());
  }
  result<void> delete_topic(const std::string& topic) override {
    return kafka::delete_topic(*questions_, topic, limit());
  }

  result<void> delete_records(const std::string& topic,
                              const partition_offsets& below) override {
    return kafka::delete_records(*questions_, topic, below, limit());
  }

  result<watermarks> query_watermarks(const std::string& topic,
                                      std::int32_t partition,
                                      isolation level) override {
    if (level == isolation::read_uncommitted)
      return ask_watermarks(*questions_, topic, partition, limit());
    auto at = any_consumer(level);
    if (!at)
      return fail(at.error());
    return ask_watermarks((*at)->client(), topic, partition, limit());
  }

  result<std::vector<cluster_finding>>
  check_cluster(const std::vector<std::string>& changelogs) override {
    return kafka::check_cluster(*questions_, changelogs, limit());
  }
  result<int> broker_count() override {
    auto brokers = ask_brokers(*questions_, limit());
    if (!brokers)
      return fail(brokers.error());
    return static_cast<int>(brokers->size());
  }

  result<std::vector<std::optional<std::int64_t>>>
  group_offsets(const std::string& group, const std::string& topic,
                int partitions) override {
    auto member = member_of(group);
    if (!member)
      return fail(member.error());
    return list_group_offsets(**member, topic, partitions, limit());
  }
  result<void>
  commit_group_offsets(const std::string& group, const std::string& topic,
                       const std::vector<std::pair<std::int32_t, std::int64_t>>&
                           offsets) override {
    auto member = member_of(group);
    if (!member)
      return fail(member.error());
    return kafka::commit_group_offsets(**member, topic, offsets, limit());
  }
  result<void> delete_group(const std::string& group) override {
    {
      std::lock_guard guard{mutex_};
      members_.erase(group);
    }
    return kafka::delete_group(*questions_, group, limit());
  }

  result<std::unique_ptr<partition_reader>>
  open_reader(reader_options options) override;
  result<std::unique_ptr<producer>>
  open_producer(producer_options options) override;
  result<void> fence(const std::string& transactional_id,
                     milliseconds limit) override;

private:
  deadline limit() const {
    return std::chrono::steady_clock::now() + options_.request_limit;
  }

  /// A partition is read once a handle, so a second reader of it needs the
  /// next handle; there is a first one for each kind.
  result<std::shared_ptr<consumer>> consumer_at(const consumer_kind& kind,
                                                std::size_t index) {
    std::lock_guard guard{mutex_};
    auto& all = consumers_[kind];
    if (index < all.size())
      return all[index];
    auto conf = consumer_configuration(options_, kind);
    if (!conf)
      return fail(conf.error());
    auto client = handle::open(RD_KAFKA_CONSUMER, std::move(*conf), outage_);
    if (!client)
      return fail(client.error());
    all.push_back(std::make_shared<consumer>(std::move(*client)));
    return all.back();
  }

  result<std::shared_ptr<consumer>> any_consumer(isolation level) {
    {
      std::lock_guard guard{mutex_};
      for (auto& [kind, all] : consumers_)
        if (kind.level == level && !all.empty())
          return all.front();
    }
    return consumer_at({level}, 0);
  }

  /// What each topic takes in one batch. One that is not there is left out:
  /// opening it says so.
  result<topic_limits> ask_limits(const std::vector<std::string>& topics) {
    topic_limits out;
    for (auto& topic : topics) {
      auto bytes = ask_max_batch_bytes(*questions_, topic, limit());
      if (bytes)
        out[topic] = *bytes;
      else if (bytes.error().code() != ec::not_found)
        return fail(bytes.error());
    }
    return out;
  }

  /// A handle that carries the group's id and never joins the group.
  result<std::shared_ptr<handle>> member_of(const std::string& group) {
    std::lock_guard guard{mutex_};
    auto& member = members_[group];
    if (member)
      return member;
    auto conf = consumer_configuration(options_, {});
    if (!conf)
      return fail(conf.error());
    if (auto done = conf->set("group.id", group); !done)
      return fail(done.error());
    auto client = handle::open(RD_KAFKA_CONSUMER, std::move(*conf), outage_);
    if (!client)
      return fail(client.error());
    member = std::move(*client);
    return member;
  }

  const kafka_options options_;
  const std::shared_ptr<outage> outage_;
  std::mutex mutex_;
  std::map<consumer_kind, std::vector<std::shared_ptr<consumer>>> consumers_;
  std::shared_ptr<handle> questions_;
  std::map<std::string, std::shared_ptr<handle>> members_;
};

result<std::unique_ptr<partition_reader>>
kafka_system::open_reader(reader_options options) {
  auto kind = kind_of(options);
  for (std::size_t i = 0;; ++i) {
    auto from = consumer_at(kind, i);
    if (!from)
      return fail(from.error());
    auto made = reader::open(std::move(*from), options, limit());
    if (made)
      return std::unique_ptr<partition_reader>{std::move(*made)};
    if (made.error().code() != ec::locked)
      return fail(made.error());
  }
}

result<std::unique_ptr<producer>>
kafka_system::open_producer(producer_options options) {
  auto conf = producer_configuration(options_, options);
  if (!conf)
    return fail(conf.error());
  milliseconds socket_timeout{std::stoll(*conf->get("socket.timeout.ms"))};
  auto number = [&](const char* name) {
    return static_cast<std::size_t>(std::stoull(*conf->get(name)));
  };
  auto limits = ask_limits(options.topics);
  if (!limits)
    return fail(limits.error());
  producer_bounds bounds;
  bounds.batch_bytes = number("batch.size");
  bounds.queue_bytes = number("queue.buffering.max.kbytes") * 1024;
  // The client has one batch size for all topics, and cannot split a batch that
  // the broker refuses.
  for (auto& [topic, bytes] : *limits)
    bounds.batch_bytes = std::min(bounds.batch_bytes, bytes);
  if (auto done = conf->set("batch.size", std::to_string(bounds.batch_bytes));
      !done)
    return fail(done.error());
  bounds.topics = std::move(*limits);
  auto client = handle::open(RD_KAFKA_PRODUCER, std::move(*conf), outage_);
  if (!client)
    return fail(client.error());
  auto made = kafka_producer::open(std::move(*client), questions_, options,
                                   socket_timeout, std::move(bounds),
                                   options_.request_limit);
  if (!made)
    return fail(made.error());
  return std::unique_ptr<producer>{std::move(*made)};
}

result<void> kafka_system::fence(const std::string& transactional_id,
                                 milliseconds limit) {
  auto until = std::chrono::steady_clock::now() + limit;
  producer_options wanted;
  wanted.transactional_id = transactional_id;
  auto conf = producer_configuration(options_, wanted);
  if (!conf)
    return fail(conf.error());
  // The answer comes when the predecessor's transaction is ended and its
  // markers are written.
  auto client = handle::open(RD_KAFKA_PRODUCER, std::move(*conf), outage_);
  if (!client)
    return fail(client.error());
  if (auto done = init_transactions(**client, transactional_id, until); !done)
    return fail(done.error().within("fence"));
  return {};
}

} // namespace

} // namespace kafka

result<std::unique_ptr<stream_system>>
open_kafka(const kafka_options& options) {
  if (auto done = kafka::check_properties(options); !done)
    return fail(done.error());
  auto made = std::make_unique<kafka::kafka_system>(options);
  if (auto done = made->start(); !done)
    return fail(done.error());
  return std::unique_ptr<stream_system>{std::move(made)};
}

std::string kafka_client_version() {
  return rd_kafka_version_str();
}

} // namespace weir
