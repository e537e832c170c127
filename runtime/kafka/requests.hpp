// Questions to the cluster that block: metadata, offsets, and the admin calls'
// common part.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/kafka/handle.hpp"
#include "runtime/stream/stream.hpp"
#include "weir/error.hpp"

namespace weir::kafka {

using std::chrono::milliseconds;
using deadline = std::chrono::steady_clock::time_point;

/// What is left of it, no more than `most`, at least 1 ms: librdkafka takes 0
/// for "do not wait". Nothing is left for a job that was cancelled.
int left_ms(deadline until, milliseconds most = milliseconds{3'600'000});
/// Also for a job that was cancelled.
bool passed(deadline until);

/// Asks again, with a growing pause, while the answer is transient. `ask` gets
/// how long it may wait: little at first, so that a job that is cancelled ends
/// soon, then more, so that a slow broker's answer counts.
rd_kafka_resp_err_t
repeat_transient(deadline until,
                 const std::function<rd_kafka_resp_err_t(int wait_ms)>& ask);

/// Polls until there is an event or the deadline has passed.
rd_kafka_event_t* await_event(rd_kafka_queue_t* queue, deadline until);

struct topic_layout {
  int partitions = 0;
  int replication = 0;
  /// Every partition has a leader.
  bool usable = false;
};

struct topic_deleter {
  void operator()(rd_kafka_topic_t* x) const noexcept {
    rd_kafka_topic_destroy(x);
  }
};
/// A topic as one handle knows it.
using topic_ptr = std::unique_ptr<rd_kafka_topic_t, topic_deleter>;

/// Nothing if the topic does not exist. Warms the handle for the topic (L9).
result<std::optional<topic_layout>>
ask_layout(handle& with, rd_kafka_topic_t* topic, deadline until);
result<std::optional<topic_layout>>
ask_layout(handle& with, const std::string& topic, deadline until);

/// Ids of the brokers that are up.
result<std::vector<int>> ask_brokers(handle& with, deadline until);

/// At the isolation level of the handle.
result<watermarks> ask_watermarks(handle& with, const std::string& topic,
                                  std::int32_t partition, deadline until);

struct event_deleter {
  void operator()(rd_kafka_event_t* x) const noexcept {
    rd_kafka_event_destroy(x);
  }
};
using event_ptr = std::unique_ptr<rd_kafka_event_t, event_deleter>;

/// Sends one admin request and waits for its answer.
/// `start` gets client, options and reply queue.
result<event_ptr>
ask_admin(handle& with, rd_kafka_admin_op_t kind, std::string_view what,
          deadline until,
          const std::function<void(rd_kafka_t*, rd_kafka_AdminOptions_t*,
                                   rd_kafka_queue_t*)>& start);

} // namespace weir::kafka
