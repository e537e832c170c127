// The time of one turn of a task.
#pragma once

#include <chrono>
#include <cstdint>

#include "actors/base/task_pulse.hpp"
#include "runtime/base/clock.hpp"

namespace weir {

/// Says after which record a turn is over. Reading the clock costs as much as a
/// tenth of a cheap record: it is read after each record only where records are
/// slow, else after as many as take an eighth of a turn; a record between two
/// readings that turns slow is seen by the kernel's tick, which costs little to
/// look at. Owned by a task, on its thread; keeps the task's pulse.
class turn_clock {
public:
  using nanoseconds = std::chrono::nanoseconds;

  turn_clock(outside_world& world, task_pulse& pulse)
      : world_(world), pulse_(pulse) {}

  enum class verdict { unread, go_on, over };

  void start(nanoseconds turn);
  /// After each record.
  verdict record_done() {
    ++records_;
    auto tick = world_.coarse_ns();
    if (records_ < stride_ && tick == tick_) [[likely]]
      return verdict::unread;
    return look(tick);
  }
  /// How long the record took that was just done, unless the clock was not
  /// read after it. Exact where records are slow; as much as a few cheap
  /// records too long where they were not.
  nanoseconds last_call() const noexcept { return last_call_; }
  /// Ends the turn; how long it was.
  nanoseconds stop();

private:
  verdict look(std::int64_t tick);

  outside_world& world_;
  task_pulse& pulse_;
  nanoseconds turn_{0};
  std::int64_t started_ = 0;
  /// When the clock was last read, and the tick then.
  std::int64_t read_ = 0;
  std::int64_t tick_ = 0;
  /// Since then.
  std::int64_t records_ = 0;
  /// How many may go by until the next reading.
  std::int64_t stride_ = 1;
  nanoseconds last_call_{0};
};

} // namespace weir
