// The producer: plain idempotent or transactional.
#pragma once

#include <librdkafka/rdkafka.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "runtime/kafka/departures.hpp"
#include "runtime/kafka/handle.hpp"
#include "runtime/kafka/requests.hpp"
#include "runtime/stream/stream.hpp"

namespace weir::kafka {

/// By topic: what it takes in one batch.
using topic_limits = std::map<std::string, std::size_t>;

/// From the handle's configuration.
struct producer_bounds {
  /// What the client fills a batch up to.
  std::size_t batch_bytes = 0;
  /// Of keys and values that wait to be sent.
  std::size_t queue_bytes = 0;
  /// Of the topics that were named when the producer was opened.
  topic_limits topics;
};

/// Owned by a lane. `send` may be called by every task of it; listeners run on
/// this object's one delivery thread. Destroying it drops what is queued and
/// never commits: a successor's fence, or the coordinator's time-out, ends an
/// open transaction.
class kafka_producer final : public producer {
public:
  /// [blocking] `questions` answers what this handle should not wait for.
  static result<std::unique_ptr<kafka_producer>>
  open(std::shared_ptr<handle> with, std::shared_ptr<handle> questions,
       const producer_options& options, milliseconds socket_timeout,
       producer_bounds bounds, milliseconds request_limit);

  ~kafka_producer() override;

  result<topic_ref> open_topic(const std::string& topic) override;
  result<void> send(const outgoing& x, delivery_listener* listener) override;
  result<void> fits(const outgoing& x) const override {
    if (auto problem = check_size(x))
      return fail(std::move(*problem));
    return {};
  }
  void hasten() noexcept override;
  result<void> flush(std::chrono::milliseconds limit) override;
  result<void> begin() override;
  result<commit_report> commit() override;

private:
  struct known_topic {
    std::string name;
    topic_ptr native;
    int partitions = 0;
    /// What the broker takes in one batch.
    std::size_t max_bytes = 0;
  };
  static constexpr std::size_t max_topics = 256;

  kafka_producer(milliseconds linger, milliseconds hastened_linger)
      : departures_(linger, hastened_linger) {}

  result<std::size_t> max_bytes_of(const std::string& topic, deadline until);
  std::optional<error> check_size(const outgoing& x) const;
  error refusal(rd_kafka_resp_err_t code, const outgoing& x);
  void note_failure(const error& why);

  void serve_events();
  int depart_when_due();
  template <class Done>
  bool await_answers(deadline until, Done done);
  void on_deliveries(event_ptr event);

  std::shared_ptr<handle> handle_;
  std::shared_ptr<handle> questions_;
  std::string id_;
  milliseconds transaction_timeout_{};
  milliseconds socket_timeout_{};
  milliseconds request_limit_{};
  producer_bounds bounds_;

  std::mutex topics_mutex_;
  std::size_t topic_count_ = 0;
  /// Of fixed size: `send` reads its entry without the lock.
  std::array<known_topic, max_topics> topics_;

  in_flight in_flight_;
  std::atomic<bool> fenced_{false};
  mutable std::mutex failure_mutex_;
  /// First delivery error since the last flush, or of the transaction.
  std::optional<error> first_failure_;

  departures departures_;
  /// Threads that wait for answers, and how they are told of some.
  std::atomic<int> waiting_{0};
  std::mutex answers_mutex_;
  std::condition_variable answers_;

  std::atomic<bool> stopping_{false};
  rd_kafka_queue_t* events_ = nullptr;
  std::thread delivery_thread_;
};

} // namespace weir::kafka
