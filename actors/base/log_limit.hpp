// One line of a kind in ten seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace weir {

/// Plain; times by `outside_world::steady_ns`.
class log_limit {
public:
  /// None: too soon after the last line. Else how many were left out since.
  std::optional<std::uint64_t> pass(std::int64_t now_ns) noexcept {
    if (last_ns_ && now_ns - *last_ns_ < period_ns) {
      ++left_out_;
      return std::nullopt;
    }
    last_ns_ = now_ns;
    return std::exchange(left_out_, 0);
  }

private:
  static constexpr std::int64_t period_ns = 10'000'000'000;

  std::optional<std::int64_t> last_ns_;
  std::uint64_t left_out_ = 0;
};

} // namespace weir
