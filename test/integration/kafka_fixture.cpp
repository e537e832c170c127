#include "test/integration/kafka_fixture.hpp"

#include <atomic>

#include <librdkafka/rdkafka.h>

namespace weir::test {

std::string fresh_name(const std::string& prefix) {
  static std::atomic<int> next{0};
  return prefix + "-" + std::to_string(next++);
}

std::string make_topic(stream_system& in, int partitions,
                       std::map<std::string, std::string> config) {
  auto name = fresh_name("topic");
  topic_settings settings;
  settings.partitions = partitions;
  settings.config = std::move(config);
  need(in.create_topic(name, settings));
  return name;
}

void set_topic_config(const std::string& topic, const std::string& name,
                      const std::string& value) {
  auto* conf = rd_kafka_conf_new();
  char why[256] = {};
  rd_kafka_conf_set(conf, "bootstrap.servers",
                    shared_kafka_server().brokers().c_str(), why, sizeof why);
  auto* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  REQUIRE(client != nullptr);
  auto* of =
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  rd_kafka_ConfigResource_set_config(of, name.c_str(), value.c_str());
  auto* answers = rd_kafka_queue_new(client);
  rd_kafka_AlterConfigs(client, &of, 1, nullptr, answers);
  auto* answer = rd_kafka_queue_poll(answers, 20'000);
  REQUIRE(answer != nullptr);
  CHECK(rd_kafka_event_error(answer) == RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_event_destroy(answer);
  rd_kafka_queue_destroy(answers);
  rd_kafka_ConfigResource_destroy(of);
  rd_kafka_destroy(client);
}

reading::reading(stream_system& in, const std::string& topic,
                 std::int32_t partition, std::int64_t start, isolation level) {
  reader_options options;
  options.topic = topic;
  options.partition = partition;
  options.start = start;
  options.level = level;
  options.on_ready = [to = signal_] {
    std::lock_guard guard{to->mutex};
    ++to->calls;
    to->called.notify_all();
  };
  reader_ = need(in.open_reader(std::move(options)));
}

bool reading::until(const std::function<bool()>& done,
                    std::chrono::milliseconds limit) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    int calls = 0;
    {
      std::lock_guard guard{signal_->mutex};
      calls = signal_->calls;
    }
    auto polled = reader_->poll(batch_, 100);
    if (!polled)
      failure_ = polled.error();
    for (auto& each : batch_.records()) {
      owned_record copy;
      if (each.key())
        copy.key = std::string{*each.key()};
      if (each.value())
        copy.value = std::string{*each.value()};
      for (auto& header : each.headers())
        copy.headers.emplace_back(header.name, header.value);
      copy.offset = each.offset();
      copy.timestamp = each.timestamp().time_since_epoch().count();
      records_.push_back(std::move(copy));
    }
    if (done())
      return true;
    if (!batch_.empty())
      continue;
    std::unique_lock guard{signal_->mutex};
    if (!signal_->called.wait_until(guard, deadline,
                                    [&] { return signal_->calls != calls; }))
      return false;
  }
}

const std::vector<owned_record>& reading::to_end() {
  if (!until([this] { return reader_->at_end() || failure_; }))
    FAIL("the end of the partition was not seen");
  if (failure_)
    FAIL(to_string(*failure_));
  return records_;
}

const std::vector<owned_record>& reading::to(std::int64_t offset) {
  if (!until([&] { return reader_->position() >= offset || failure_; }))
    FAIL("only read up to offset " << reader_->position());
  if (failure_)
    FAIL(to_string(*failure_));
  return records_;
}

std::vector<std::string> reading::values() const {
  std::vector<std::string> out;
  for (auto& each : records_)
    out.push_back(each.value.value_or("(none)"));
  return out;
}

void delivery_count::delivered(std::int64_t offset) noexcept {
  std::lock_guard guard{mutex_};
  offsets_.push_back(offset);
  changed_.notify_all();
}

void delivery_count::failed(const error& why) noexcept {
  std::lock_guard guard{mutex_};
  failures_.push_back(why);
  changed_.notify_all();
}

bool delivery_count::wait_for(std::size_t count,
                              std::chrono::milliseconds limit) {
  std::unique_lock guard{mutex_};
  return changed_.wait_for(guard, limit, [&] {
    return offsets_.size() + failures_.size() >= count;
  });
}

std::vector<std::int64_t> delivery_count::offsets() {
  std::lock_guard guard{mutex_};
  return offsets_;
}

std::vector<error> delivery_count::failures() {
  std::lock_guard guard{mutex_};
  return failures_;
}

outgoing text_record(topic_ref topic, std::string_view key,
                     std::string_view value, std::int32_t partition) {
  outgoing out;
  out.topic = topic;
  out.partition = partition;
  out.key = key;
  out.value = value;
  return out;
}

std::unique_ptr<producer> transactional(stream_system& in,
                                        const std::string& id) {
  producer_options options;
  options.transactional_id = id;
  return need(in.open_producer(options));
}

} // namespace weir::test
