// The producers that a lane's tasks share for one life of the lane.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/send/send_queue.hpp"
#include "runtime/stream/stream.hpp"

namespace weir {

/// A listener that says when no more calls can come, so that it may go.
class kept_listener : public delivery_listener {
public:
  virtual bool settled() const noexcept = 0;
};

/// Counts the outputs of one commit of one task in at-least-once mode (L1) and
/// says when the last is acknowledged. `sent` and `close` belong to the task's
/// thread; deliveries may come from several others at once.
class output_acks final : public kept_listener {
public:
  using callback = std::function<void(result<void>)>;

  void sent() noexcept { ++sent_; }

  /// No more will be sent. `done` is called once, from any thread, maybe now.
  void close(callback done);

  void delivered(std::int64_t) noexcept override { settle(1); }
  bool only_counts() const noexcept override { return true; }
  void all_delivered(std::int64_t count) noexcept override { settle(count); }
  void failed(const error& why) noexcept override;
  bool settled() const noexcept override { return settled_; }

private:
  void settle(std::int64_t count) noexcept;

  static constexpr std::int64_t open = INT64_MAX;

  /// Both count each record, on two threads: a cache line each.
  alignas(64) std::int64_t sent_ = 0;
  /// What is missing yet; far from nothing until closed. Whoever takes the last
  /// of it, and nobody else, may still touch this object.
  alignas(64) std::atomic<std::int64_t> missing_{open};
  std::mutex mutex_;
  std::optional<error> problem_;
  callback done_;
  /// The last thing to be set: whoever sees it may destroy this.
  std::atomic<bool> settled_{false};
};

/// Where the producer's own acknowledgement of a commit record arrives: the
/// changelog position of the commit comes from here and from nowhere else.
class commit_slot final : public kept_listener {
public:
  void delivered(std::int64_t offset) noexcept override {
    offset_ = offset;
    settled_ = true;
  }
  void failed(const error&) noexcept override { settled_ = true; }
  bool settled() const noexcept override { return settled_; }
  /// -1 until acknowledged, or when the broker did not say (R6).
  std::int64_t offset() const noexcept { return offset_; }

private:
  std::atomic<std::int64_t> offset_{-1};
  std::atomic<bool> settled_{false};
};

/// A producer with its topics resolved, and the listeners of what it sent.
class bound_producer {
public:
  topic_ref changelog;
  /// Opened later where an operator gives a record away (H28): while tasks
  /// send.
  std::atomic<topic_ref> dead_letter;
  std::vector<topic_ref> outputs;

  topic_ref topic(target to) const {
    if (to == target::changelog)
      return changelog;
    if (to == target::dead_letter)
      return dead_letter;
    return outputs[static_cast<std::size_t>(to)];
  }

  /// Keeps a listener until its last delivery or until the producer is gone.
  void keep(std::shared_ptr<kept_listener> x);

private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<kept_listener>> listeners_;

public:
  /// Behind the listeners, so that it is destroyed before them.
  std::unique_ptr<producer> handle;
};

/// What a lane's tasks share for one life of the lane's id. The last reference
/// may block in the producers' destructors: it is dropped on an executor.
struct lane_producers {
  /// "weir.<job>.<random 128 bits>" (rule L2).
  std::string id;
  bound_producer transactional;
  /// The longest T_c that the transactions' time-out allows (rule L9).
  std::chrono::milliseconds longest_interval{0};
  std::chrono::milliseconds transaction_timeout{0};
  /// At-least-once only; goes on when the id is retired.
  std::shared_ptr<bound_producer> plain;
};

} // namespace weir
