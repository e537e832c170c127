// What the Kafka tests share: a system on the executable's one broker, topics
// with fresh names, and readers that wait for their callback.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "runtime/kafka/kafka.hpp"
#include "test/servers/kafka_server.hpp"

namespace weir::test {

using namespace std::chrono_literals;

/// The value of a result that must be one; fails the test with the error.
template <class T>
T need(result<T> x) {
  if (!x)
    FAIL(to_string(x.error()));
  return std::move(*x);
}
inline void need(result<void> x) {
  if (!x)
    FAIL(to_string(x.error()));
}

inline kafka_options broker_options() {
  kafka_options out;
  out.brokers = shared_kafka_server().brokers();
  return out;
}

inline std::unique_ptr<stream_system>
open_system(kafka_options options = broker_options()) {
  return need(open_kafka(options));
}

/// "<prefix>-<n>", never used before in this executable.
std::string fresh_name(const std::string& prefix);

/// A topic with a fresh name.
std::string make_topic(stream_system& in, int partitions,
                       std::map<std::string, std::string> config = {});

/// Replaces what the topic has of its own settings by this one.
void set_topic_config(const std::string& topic, const std::string& name,
                      const std::string& value);

/// A copy of a record.
struct owned_record {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  std::int64_t offset = -1;
  std::int64_t timestamp = -1;
};

/// A reader and the callback that it waits for.
class reading {
public:
  reading(stream_system& in, const std::string& topic,
          std::int32_t partition = 0, std::int64_t start = 0,
          isolation level = isolation::read_committed);

  /// Polls and waits until `done`; false when `limit` passed.
  bool until(const std::function<bool()>& done,
             std::chrono::milliseconds limit = 20s);
  /// Everything up to the end of the partition. A commit is answered before its
  /// markers are written, so the committed end may come a little later.
  const std::vector<owned_record>& to_end();
  /// Everything below an offset that is, or will be, below the end.
  const std::vector<owned_record>& to(std::int64_t offset);

  const std::vector<owned_record>& records() const { return records_; }
  std::vector<std::string> values() const;
  partition_reader& native() { return *reader_; }
  const std::optional<error>& failure() const { return failure_; }

private:
  struct signal {
    std::mutex mutex;
    std::condition_variable called;
    int calls = 0;
  };

  std::shared_ptr<signal> signal_ = std::make_shared<signal>();
  std::unique_ptr<partition_reader> reader_;
  record_batch batch_;
  std::vector<owned_record> records_;
  std::optional<error> failure_;
};

/// Counts what became of records.
class delivery_count final : public delivery_listener {
public:
  void delivered(std::int64_t offset) noexcept override;
  void failed(const error& why) noexcept override;

  bool wait_for(std::size_t count, std::chrono::milliseconds limit = 20s);
  std::vector<std::int64_t> offsets();
  std::vector<error> failures();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::int64_t> offsets_;
  std::vector<error> failures_;
};

outgoing text_record(topic_ref topic, std::string_view key,
                     std::string_view value, std::int32_t partition = 0);

std::unique_ptr<producer> transactional(stream_system& in,
                                        const std::string& id);

} // namespace weir::test
