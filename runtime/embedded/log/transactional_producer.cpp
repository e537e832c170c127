#include <atomic>

#include "runtime/embedded/log/producer.hpp"
#include "runtime/embedded/log/record_intake.hpp"

namespace weir {

namespace {

//            begin                 commit
//   idle ------------> open -------------------> idle
//                        \  any error of commit
//                         +--------------------> finished
class transactional_producer final : public producer {
public:
  transactional_producer(std::shared_ptr<embedded_log> log,
                         producer_identity who, std::size_t transaction_bytes)
      : intake_(std::move(log)), who_(std::move(who)),
        transaction_bytes_(transaction_bytes) {}

  ~transactional_producer() override {
    settle(pending_, fail(ec::closed, "the producer was destroyed before it "
                                      "committed"));
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
    std::lock_guard lock{mutex_};
    if (auto usable = check(true); !usable)
      return usable;
    if (auto taken = intake_.take(x, listener, pending_); !taken)
      return taken;
    large_.store(pending_.size() >= transaction_bytes_,
                 std::memory_order_relaxed);
    return {};
  }

  bool wants_commit() const noexcept override {
    return large_.load(std::memory_order_relaxed);
  }

  result<void> flush(std::chrono::milliseconds) override {
    std::lock_guard lock{mutex_};
    return check(open_);
  }

  result<void> begin() override {
    std::lock_guard lock{mutex_};
    auto usable = check(false);
    if (usable)
      open_ = true;
    return usable;
  }

  result<commit_report> commit() override {
    std::lock_guard lock{mutex_};
    auto done = check(true);
    if (done)
      done = intake_.log().append(pending_, &who_);
    if (!done) {
      finish(done.error());
      return fail(*failure_);
    }
    settle(pending_, done);
    end();
    return commit_report{};
  }

private:
  /// Errors: `fenced`, or why the producer is finished, or that a transaction
  /// is open or not when it should be the other way.
  result<void> check(bool open) {
    if (!failure_ && who_.fenced())
      finish({ec::fenced, "transactional id '" + who_.id +
                              "' was taken over by another handle"});
    if (failure_)
      return fail(*failure_);
    if (open_ == open)
      return {};
    return fail(ec::transaction_failed,
                "transactional id '" + who_.id +
                    (open ? "' has no open transaction: begin one first"
                          : "' has an open transaction: commit it first"));
  }

  /// Whatever the cause, the handle is given up (rule L3).
  void finish(const error& why) {
    if (!failure_)
      failure_ = why.code() == ec::fenced
                     ? why
                     : error{ec::transaction_failed, to_string(why)};
    settle(pending_, fail(*failure_));
    end();
  }

  void end() noexcept {
    open_ = false;
    large_ = false;
  }

  mutable std::mutex mutex_;
  record_intake intake_;
  const producer_identity who_;
  const std::size_t transaction_bytes_;
  /// `commit` holds the mutex while it waits for the disk.
  std::atomic<bool> large_{false};
  pending_records pending_;
  bool open_ = false;
  std::optional<error> failure_;
};

} // namespace

result<std::unique_ptr<producer>>
open_transactional_producer(std::shared_ptr<embedded_log> log,
                            producer_options options) {
  auto who = log->initialise(options.transactional_id);
  if (!who)
    return fail(who.error());
  return std::make_unique<transactional_producer>(
      std::move(log), std::move(*who), options.transaction_bytes);
}

} // namespace weir
