// Pauses between attempts.
#pragma once

#include <algorithm>
#include <chrono>
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

} // namespace weir
