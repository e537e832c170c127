// Time, chance and processes of the simulated machines.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "runtime/base/clock.hpp"
#include "test/simulation/planned_failures.hpp"

namespace weir::sim {

/// Random numbers that are the same everywhere: the standard fixes the engine
/// but not its distributions.
class random_source {
public:
  explicit random_source(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t bits() { return engine_(); }
  /// [0, n). @pre n > 0
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  /// [0, longest). @pre longest > 0
  std::chrono::nanoseconds up_to(std::chrono::nanoseconds longest) {
    return std::chrono::nanoseconds{
        below(static_cast<std::uint64_t>(longest.count()))};
  }

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

/// The processes that live on the simulated machines. Ids are never used twice.
class process_table {
public:
  std::int64_t start() {
    living_.insert(++last_);
    return last_;
  }
  void end(std::int64_t pid) { living_.erase(pid); }
  /// All machines at once.
  void clear() { living_.clear(); }
  bool lives(std::int64_t pid) const { return living_.count(pid) > 0; }

private:
  std::int64_t last_ = 1'000;
  std::set<std::int64_t> living_;
};

/// What one life of a process sees: each has another process id. The process
/// table shows those of all machines; `shares_process_table` is to keep a node
/// from asking for one of another machine.
class sim_world final : public outside_world {
public:
  sim_world(virtual_time& time, random_source& random,
            const process_table& processes, std::int64_t pid, std::string host,
            std::string boot, planned_failures* planned = nullptr)
      : time_(time), random_(random), processes_(processes), pid_(pid),
        host_(std::move(host)), boot_(std::move(boot)), planned_(planned) {}

  std::int64_t wall_clock_ms() override {
    return epoch_ms + time_.milliseconds().count();
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

  /// Null outside of nodes.
  planned_failures* planned() const noexcept { return planned_; }

  std::uint64_t process_start(std::int64_t pid) override {
    return processes_.lives(pid) ? static_cast<std::uint64_t>(4'000 + pid) : 0;
  }

private:
  /// 2020-01-01.
  static constexpr std::int64_t epoch_ms = 1'577'836'800'000;
  static constexpr std::int64_t look_ns = 100'000;

  virtual_time& time_;
  random_source& random_;
  const process_table& processes_;
  std::int64_t pid_;
  std::string host_;
  std::string boot_;
  planned_failures* planned_;
  std::int64_t looked_ = 0;
};

} // namespace weir::sim
