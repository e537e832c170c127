// Pauses between attempts.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace weir {

/// From 0.2 s, each twice as long as the one before, up to 5 s (rule C5).
class back_off {
public:
  using milliseconds = std::chrono::milliseconds;
  static constexpr milliseconds first{200};
  static constexpr milliseconds longest{5'000};

  milliseconds next() {
    return std::exchange(next_, std::min(longest, next_ * 2));
  }

private:
  milliseconds next_ = first;
};

/// The pause before the next bring-up of a task that has to wait. It counts
/// from when the task began to wait: lives of its lane that end meanwhile, of
/// others' doing, do not begin it anew. Times are monotonic.
class bring_up_pause {
public:
  using milliseconds = std::chrono::milliseconds;

  /// The same trouble again: twice as long, from `back_off::first` on.
  void longer() {
    set(std::clamp(length_ * 2, back_off::first, back_off::longest));
  }
  /// Of this length.
  void set(milliseconds length) {
    length_ = length;
    since_ms_.reset();
  }
  /// What is left of it; 0 = it is over. It begins with the first call.
  milliseconds left(std::int64_t now_ms) {
    if (!since_ms_)
      since_ms_ = now_ms;
    if (length_ == milliseconds{0})
      length_ = back_off::first;
    return std::max(milliseconds{0},
                    length_ - milliseconds{now_ms - *since_ms_});
  }
  /// The task is brought up: where it has to wait again, it waits anew.
  void over() { since_ms_.reset(); }

private:
  milliseconds length_{0};
  std::optional<std::int64_t> since_ms_;
};

} // namespace weir
