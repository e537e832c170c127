// What a process on a simulated machine sees of its outside.
#pragma once

#include <string>
#include <utility>

#include "runtime/base/clock.hpp"
#include "test/driver/virtual_time.hpp"

namespace weir::sim {

/// What one life of a process sees: each has another process id. The process
/// table shows those of all machines; `shares_process_table` is to keep a node
/// from asking for one of another machine.
class sim_world : public outside_world {
public:
  sim_world(virtual_time& time, sim_random& random,
            const process_table& processes, std::int64_t pid, std::string host,
            std::string boot)
      : time_(time), random_(random), processes_(processes), pid_(pid),
        host_(std::move(host)), boot_(std::move(boot)) {}

  std::int64_t wall_clock_ms() override {
    return time_.epoch_ms + time_.milliseconds().count();
  }
  /// Each look at it takes some of it, so that work has a length.
  std::int64_t steady_ns() override {
    looked_ += look_ns;
    return coarse_ns();
  }
  std::int64_t coarse_ns() override { return time_.now.count() + looked_; }
  std::uint64_t random_bits() override { return random_.bits(); }
  std::string boot_id() override { return boot_; }
  std::string host_name() override { return host_; }
  std::int64_t process_id() override { return pid_; }
  /// Whoever calls this is busy for so long.
  void work(std::chrono::nanoseconds lasts) { time_.now += lasts; }

  std::uint64_t process_start(std::int64_t pid) override {
    return processes_.lives(pid) ? static_cast<std::uint64_t>(4'000 + pid) : 0;
  }

private:
  static constexpr std::int64_t look_ns = 100'000;

  virtual_time& time_;
  sim_random& random_;
  const process_table& processes_;
  std::int64_t pid_;
  std::string host_;
  std::string boot_;
  std::int64_t looked_ = 0;
};

} // namespace weir::sim
