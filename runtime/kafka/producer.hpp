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

#include "runtime/kafka/handle.hpp"
#include "runtime/kafka/requests.hpp"
#include "runtime/stream.hpp"

namespace weir::kafka {

/// Counts records on their way in eight generations, so that a flush waits for
/// what was sent before it and not for what is sent meanwhile.
class in_flight {
public:
  static constexpr unsigned generations = 8;

  unsigned add() noexcept {
    auto generation = current_.load();
    counts_[generation].value.fetch_add(1);
    return generation;
  }
  void remove(unsigned generation, std::int64_t count = 1) noexcept {
    counts_[generation].value.fetch_sub(count);
  }
  /// Starts a new generation; every older one is to be waited for.
  void advance() noexcept { current_ = (current_ + 1) % generations; }
  std::int64_t count() const noexcept {
    std::int64_t out = 0;
    for (auto& each : counts_)
      out += each.value;
    return out;
  }
  bool older_done() const noexcept {
    for (unsigned i = 0; i < generations; ++i)
      if (i != current_ && counts_[i].value != 0)
        return false;
    return true;
  }

private:
  /// A cache line each: sender and delivery thread count at once.
  struct alignas(64) counter {
    std::atomic<std::int64_t> value{0};
  };
  std::array<counter, generations> counts_;
  std::atomic<unsigned> current_{0};
};

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

  kafka_producer() = default;

  result<std::size_t> max_bytes_of(const std::string& topic, deadline until);
  std::optional<error> check_size(const outgoing& x) const;
  error refusal(rd_kafka_resp_err_t code, const outgoing& x);
  void note_failure(const error& why);

  void serve_events();
  int until_departure_ms();
  void depart();
  void settle();
  void on_deliveries(rd_kafka_event_t* event);

  std::shared_ptr<handle> handle_;
  std::shared_ptr<handle> questions_;
  std::string id_;
  milliseconds transaction_timeout_{};
  milliseconds socket_timeout_{};
  milliseconds request_limit_{};
  milliseconds linger_{};
  milliseconds hastened_linger_{};
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

  /// Of the thread that commits: it waits for the last answer.
  std::atomic<bool> settling_{false};
  std::mutex settled_mutex_;
  std::condition_variable settled_;

  std::atomic<bool> stopping_{false};
  std::atomic<bool> hastened_{false};
  /// The delivery thread looks after departures; else `send` wakes it.
  std::atomic<bool> awake_{false};
  // Of the delivery thread: whether nothing was on its way, when what is leaves
  // without being hastened, when the last departure was, how many records have
  // been answered, and how many will be when the hastened ones are.
  bool idle_ = true;
  deadline lingers_until_{};
  deadline last_departure_{};
  std::int64_t answered_ = 0;
  std::int64_t hastened_up_to_ = 0;
  rd_kafka_queue_t* events_ = nullptr;
  std::thread delivery_thread_;
};

} // namespace weir::kafka
