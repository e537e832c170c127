// librdkafka for benchmarks and checkers, which go round weir on purpose: what
// measures or judges it must not share its code.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace weir::bench {

/// Prints `text` and ends the process: a benchmark that goes on after an error
/// measures something else.
[[noreturn]] void die(const std::string& text);

using settings = std::vector<std::pair<std::string, std::string>>;

struct handle_closer {
  void operator()(rd_kafka_t* x) const noexcept { rd_kafka_destroy(x); }
};
using handle = std::unique_ptr<rd_kafka_t, handle_closer>;

struct topic_closer {
  void operator()(rd_kafka_topic_t* x) const noexcept {
    rd_kafka_topic_destroy(x);
  }
};
using topic_handle = std::unique_ptr<rd_kafka_topic_t, topic_closer>;

struct queue_closer {
  void operator()(rd_kafka_queue_t* x) const noexcept {
    rd_kafka_queue_destroy(x);
  }
};
using queue_handle = std::unique_ptr<rd_kafka_queue_t, queue_closer>;

struct message_closer {
  void operator()(rd_kafka_message_t* x) const noexcept {
    rd_kafka_message_destroy(x);
  }
};
using message = std::unique_ptr<rd_kafka_message_t, message_closer>;

/// All handles have Nagle off. A consumer reads read-committed, checks CRCs and
/// commits nothing by itself; a producer is idempotent with acks=all and dies
/// when a record cannot be delivered.
handle make_consumer(const std::string& brokers, const settings& more = {});
handle make_producer(const std::string& brokers, const settings& more = {});
topic_handle open_topic(const handle& client, const std::string& topic);

/// 0 = there is no such topic.
int partitions_of(const handle& client, const std::string& topic);
/// Does nothing if the topic exists.
void create_topic(const handle& client, const std::string& topic,
                  int partitions, const settings& config = {});
/// Does nothing if the topic is missing.
void delete_topic(const handle& client, const std::string& topic);

/// The end of every partition, by the handle's isolation level.
std::vector<std::int64_t> end_offsets(const handle& client,
                                      const std::string& topic, int partitions);

/// Also reads `partitions` of `topic`, each from its entry of `from`.
void assign(const handle& consumer, const std::string& topic,
            const std::vector<int>& partitions,
            const std::vector<std::int64_t>& from);

/// Sends a record; waits while the queue is full. `timestamp_ms` 0 = now.
void send(const handle& producer, const topic_handle& topic, int partition,
          std::string_view key, std::string_view value,
          std::int64_t timestamp_ms = 0);

/// Waits until every record is acknowledged.
void flush(const handle& producer);

inline std::string_view key_of(const rd_kafka_message_t& x) noexcept {
  return {static_cast<const char*>(x.key), x.key_len};
}
inline std::string_view value_of(const rd_kafka_message_t& x) noexcept {
  return {static_cast<const char*>(x.payload), x.len};
}

} // namespace weir::bench
