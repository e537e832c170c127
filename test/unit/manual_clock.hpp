// A world whose time a test sets.
#pragma once

#include <chrono>

#include "runtime/base/clock.hpp"

namespace weir::test {

class manual_clock : public outside_world {
public:
  std::int64_t wall_clock_ms() override {
    return 1'600'000'000'000 +
           std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  }
  std::int64_t steady_ns() override {
    ++readings;
    return now.count();
  }
  /// As of the kernel's last tick.
  std::int64_t coarse_ns() override { return now.count() / tick_ns * tick_ns; }
  std::uint64_t random_bits() override { return ++bits_; }
  std::string boot_id() override { return "boot"; }
  std::string host_name() override { return "host"; }
  std::int64_t process_id() override { return 1; }
  std::uint64_t process_start(std::int64_t) override { return 1; }

  std::chrono::nanoseconds now{1'000'000'000};
  int readings = 0;

private:
  static constexpr std::int64_t tick_ns = 4'000'000;

  std::uint64_t bits_ = 0;
};

} // namespace weir::test
