// Time, chance and processes of simulated machines.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <set>

namespace weir::sim {

/// Random numbers that are the same everywhere: the standard fixes the engine
/// but not its distributions.
class sim_random {
public:
  explicit sim_random(std::uint64_t seed) : engine_(seed) {}
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
  /// What the wall clock shows at 0: 2020-01-01.
  std::int64_t epoch_ms = 1'577'836'800'000;

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

} // namespace weir::sim
