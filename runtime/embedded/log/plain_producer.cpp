#include <condition_variable>
#include <thread>

#include <pthread.h>

#include "runtime/base/log.hpp"
#include "runtime/embedded/log/producer.hpp"
#include "runtime/embedded/log/record_intake.hpp"

namespace weir {

namespace {

/// Bytes that are written without waiting for `linger`: enough to make the sync
/// cheap, little enough to keep a write short.
constexpr std::size_t batch_bytes = 1u << 20;

/// `write_mutex_` (taken first) makes one write at a time and so keeps the
/// order; `mutex_` guards the queue only, so that `send` never waits for a
/// disk.
class plain_producer final : public producer {
public:
  plain_producer(std::shared_ptr<embedded_log> log, producer_options options,
                 bool own_thread)
      : intake_(std::move(log)), options_(std::move(options)) {
    if (!own_thread)
      return;
    writer_ = std::thread{[this, log = current_log()] {
      log_scope scope{log};
      run();
    }};
    pthread_setname_np(writer_.native_handle(), "weir-linger");
  }

  ~plain_producer() override {
    {
      std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    changed_.notify_all();
    if (writer_.joinable())
      writer_.join();
    settle(queue_,
           fail(ec::closed, "the producer was destroyed before it flushed"));
  }

  result<topic_ref> open_topic(const std::string& topic) override {
    std::lock_guard lock{mutex_};
    return intake_.open(topic);
  }

  result<void> fits(const outgoing& x) const override {
    std::lock_guard lock{mutex_};
    return intake_.fits(x);
  }
  result<void> send(const outgoing& x, delivery_listener* listener) override {
    std::unique_lock lock{mutex_};
    auto taken = queue_.bytes.size() + writing_;
    if (taken >= options_.queue_bytes)
      return fail(ec::queue_full,
                  "the producer's queue holds " + std::to_string(taken) +
                      " bytes; try again when some are written");
    auto first = queue_.empty();
    auto accepted = intake_.take(x, listener, queue_);
    if (!accepted)
      return accepted;
    if (first)
      due_ = std::chrono::steady_clock::now() + options_.linger;
    auto wake = first || queue_.bytes.size() >= batch_bytes;
    lock.unlock();
    if (!writer_.joinable())
      write();
    else if (wake)
      changed_.notify_one();
    return {};
  }

  void hasten() noexcept override {
    {
      std::lock_guard lock{mutex_};
      auto soon = std::chrono::steady_clock::now() + options_.hastened_linger;
      if (queue_.empty() || soon >= due_)
        return;
      due_ = soon;
    }
    changed_.notify_one();
  }

  result<void> flush(std::chrono::milliseconds) override {
    write();
    std::lock_guard lock{mutex_};
    auto failure = std::exchange(failure_, std::nullopt);
    return failure ? fail(*failure) : result<void>{};
  }

  result<void> begin() override { return no_transactions(); }
  result<commit_report> commit() override { return no_transactions(); }

private:
  static failure no_transactions() {
    return fail(ec::bad_argument, "a producer without a transactional id has "
                                  "no transactions");
  }

  /// Writes what is queued, after what is being written.
  void write() {
    std::lock_guard order{write_mutex_};
    {
      std::lock_guard lock{mutex_};
      std::swap(queue_, batch_);
      writing_ = batch_.bytes.size();
    }
    if (batch_.empty())
      return;
    auto done = intake_.log().append(batch_, nullptr);
    settle(batch_, done);
    std::lock_guard lock{mutex_};
    writing_ = 0;
    if (!done && !failure_)
      failure_ = done.error();
  }

  void run() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
      if (queue_.empty()) {
        changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        continue;
      }
      auto until = due_;
      changed_.wait_until(lock, until, [this, until] {
        return stopping_ || queue_.bytes.size() >= batch_bytes || due_ < until;
      });
      if (stopping_)
        return;
      if (due_ < until)
        continue;
      lock.unlock();
      write();
      lock.lock();
    }
  }

  record_intake intake_;
  const producer_options options_;
  std::mutex write_mutex_;
  /// Being written; guarded by `write_mutex_`.
  pending_records batch_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  pending_records queue_;
  std::size_t writing_ = 0;
  std::chrono::steady_clock::time_point due_;
  std::optional<error> failure_;
  bool stopping_ = false;
  std::thread writer_;
};

} // namespace

result<std::unique_ptr<producer>>
open_plain_producer(std::shared_ptr<embedded_log> log, producer_options options,
                    bool own_thread) {
  return std::make_unique<plain_producer>(std::move(log), std::move(options),
                                          own_thread);
}

} // namespace weir
