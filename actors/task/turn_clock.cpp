#include "actors/task/turn_clock.hpp"

#include <algorithm>

namespace weir {

namespace {

/// Readings in a turn of records that are all alike.
constexpr std::int64_t readings = 8;
constexpr std::int64_t longest_stride = 64;

} // namespace

void turn_clock::start(nanoseconds turn) {
  turn_ = turn;
  tick_ = world_.coarse_ns();
  started_ = read_ = world_.steady_ns();
  records_ = 0;
  pulse_.enter(task_pulse::code::process, read_);
}

turn_clock::verdict turn_clock::look(std::int64_t tick) {
  auto now = world_.steady_ns();
  auto took = now - read_;
  auto each = std::max<std::int64_t>(took / records_, 1);
  // What one slow record has shrunk grows again by steps.
  stride_ = std::min(std::clamp<std::int64_t>(turn_.count() / readings / each,
                                              1, longest_stride),
                     2 * stride_);
  last_call_ = nanoseconds{took};
  read_ = now;
  tick_ = tick;
  records_ = 0;
  pulse_.enter(task_pulse::code::process, now);
  return now - started_ >= turn_.count() ? verdict::over : verdict::go_on;
}

turn_clock::nanoseconds turn_clock::stop() {
  pulse_.leave();
  return nanoseconds{world_.steady_ns() - started_};
}

} // namespace weir
