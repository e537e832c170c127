// What the code of a task does at this moment, for who may not wait for it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace weir {

/// Written by a task's thread around its user's code, read by any other: a lane
/// sees a call that is not back although the task answers no message. One for
/// each incarnation; made with its `restored_task`.
///
/// All fields are relaxed: a reader may see the record after the one that runs,
/// never a call that ended long ago.
class task_pulse {
public:
  enum class code : int { process, check, hook };

  /// A call that is not back. `ns` may be as much as some cheap records before
  /// it too long, never too short.
  struct call {
    code of;
    /// Of `process`: index among the job's inputs, and the record's offset.
    std::size_t input;
    std::int64_t offset;
    std::int64_t ns;
  };

  /// None: no code of the user runs.
  std::optional<call> running(std::int64_t now_ns) const noexcept {
    auto since = since_.load(std::memory_order_relaxed);
    if (since == 0)
      return std::nullopt;
    return call{what_.load(std::memory_order_relaxed),
                input_.load(std::memory_order_relaxed),
                offset_.load(std::memory_order_relaxed), now_ns - since};
  }

  /// Calls of `process` that took longer than `slow_call`.
  std::uint64_t slow_calls() const noexcept {
    return slow_calls_.load(std::memory_order_relaxed);
  }

  // -- the task's side; times by `outside_world::steady_ns`

  void enter(code what, std::int64_t now_ns) noexcept {
    what_.store(what, std::memory_order_relaxed);
    since_.store(now_ns, std::memory_order_relaxed);
  }
  void leave() noexcept { since_.store(0, std::memory_order_relaxed); }
  void take(std::size_t input) noexcept {
    input_.store(input, std::memory_order_relaxed);
  }
  /// Before each record.
  void at(std::int64_t offset) noexcept {
    offset_.store(offset, std::memory_order_relaxed);
  }
  void count_slow_call() noexcept {
    slow_calls_.fetch_add(1, std::memory_order_relaxed);
  }

private:
  std::atomic<std::int64_t> since_{0};
  std::atomic<code> what_{code::process};
  std::atomic<std::size_t> input_{0};
  std::atomic<std::int64_t> offset_{-1};
  std::atomic<std::uint64_t> slow_calls_{0};
};

/// The pulses of a node's tasks. Thread-safe; forgets those that have ended.
class pulse_board {
public:
  void add(int partition, std::weak_ptr<const task_pulse> x) {
    std::lock_guard guard{mutex_};
    pulses_[partition] = std::move(x);
  }

  struct entry {
    int partition;
    std::shared_ptr<const task_pulse> pulse;
  };
  std::vector<entry> all() const {
    std::lock_guard guard{mutex_};
    std::vector<entry> out;
    for (auto& [partition, weak] : pulses_)
      if (auto pulse = weak.lock())
        out.push_back({partition, std::move(pulse)});
    return out;
  }

private:
  mutable std::mutex mutex_;
  std::map<int, std::weak_ptr<const task_pulse>> pulses_;
};

} // namespace weir
