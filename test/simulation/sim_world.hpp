// Time and chance of a simulated machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "runtime/clock.hpp"

namespace weir::sim {

/// Random numbers that are the same everywhere: the standard fixes the engine
/// but not its distributions.
class random_source {
public:
  explicit random_source(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t bits() { return engine_(); }
  /// [0, n). @pre n > 0
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }

private:
  std::mt19937_64 engine_;
};

/// Goes on over the crashes of a run.
struct virtual_time {
  std::chrono::nanoseconds now{0};

  std::chrono::milliseconds milliseconds() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now);
  }
};

/// What one life of the process sees: each has another process id, and the
/// process table knows the living one only.
class sim_world final : public outside_world {
public:
  sim_world(const virtual_time& time, random_source& random, std::string boot,
            int life)
      : time_(time), random_(random), boot_(std::move(boot)), life_(life) {}

  std::int64_t wall_clock_ms() override {
    return epoch_ms + time_.milliseconds().count();
  }
  std::uint64_t random_bits() override { return random_.bits(); }
  std::string boot_id() override { return boot_; }
  std::string host_name() override { return "host"; }
  std::int64_t process_id() override { return 1'000 + life_; }
  std::uint64_t process_start(std::int64_t pid) override {
    return pid == process_id() ? static_cast<std::uint64_t>(5'000 + life_) : 0;
  }

private:
  /// 2020-01-01.
  static constexpr std::int64_t epoch_ms = 1'577'836'800'000;

  const virtual_time& time_;
  random_source& random_;
  std::string boot_;
  int life_;
};

} // namespace weir::sim
