// When the records leave that a producer keeps back for company.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace weir::kafka {

/// Counts records on their way in eight generations, so that a flush waits for
/// what was sent before it and not for what is sent meanwhile.
class in_flight {
public:
  static constexpr unsigned generations = 8;

  unsigned add() noexcept {
    auto generation = current_.load();
    counts_[generation].value.fetch_add(1);
    return generation;
  }
  void remove(unsigned generation, std::int64_t count = 1) noexcept {
    counts_[generation].value.fetch_sub(count);
  }
  /// Starts a new generation; every older one is to be waited for.
  void advance() noexcept { current_ = (current_ + 1) % generations; }
  std::int64_t count() const noexcept {
    std::int64_t out = 0;
    for (auto& each : counts_)
      out += each.value;
    return out;
  }
  bool older_done() const noexcept {
    for (unsigned i = 0; i < generations; ++i)
      if (i != current_ && counts_[i].value != 0)
        return false;
    return true;
  }

private:
  /// A cache line each: sender and delivery thread count at once.
  struct alignas(64) counter {
    std::atomic<std::int64_t> value{0};
  };
  std::array<counter, generations> counts_;
  std::atomic<unsigned> current_{0};
};

/// Left to itself librdkafka 2.0.2 waits for company by partition, and its
/// thread spins through the last millisecond of each wait, and from its end on
/// for as long as the partition's batch before is not answered. So the client
/// is told to wait for full batches (configuration.cpp), and everything else
/// leaves at once in a *departure*, when this says so. A departure is a flag
/// that the client looks at and may miss, so they go on until all is answered.
///
/// `sent` and `hasten` from any thread, all else on the one that departs. A
/// hint that comes while nothing is on its way counts for the next record.
class departures {
public:
  using milliseconds = std::chrono::milliseconds;
  using time_point = std::chrono::steady_clock::time_point;

  /// How long a record waits, and from one hastened departure to the next.
  departures(milliseconds linger, milliseconds hastened_linger)
      : linger_(linger), hastened_linger_(hastened_linger) {}

  /// A record was counted. True: the thread has to be woken.
  bool sent() noexcept { return !awake_ && !awake_.exchange(true); }
  /// Nothing follows soon. True: the thread has to be woken.
  bool hasten() noexcept {
    return hastened_linger_ < linger_ && !hastened_.exchange(true);
  }

  /// When the next one is due; nothing: not before `sent` says so.
  std::optional<time_point> due(const in_flight& records, time_point now) {
    if (awake_ && records.count() == 0) {
      awake_ = false;
      idle_ = true;
      // A record may have come between.
      if (records.count() != 0)
        awake_ = true;
    }
    // Without a linger the client keeps nothing back.
    if (!awake_ || linger_.count() == 0)
      return std::nullopt;
    if (std::exchange(idle_, false))
      lingers_until_ = now + linger_;
    if (hastened_ || answered_ < hastened_up_to_)
      return std::min(lingers_until_, last_ + hastened_linger_);
    return lingers_until_;
  }
  /// One begins.
  void depart(const in_flight& records, time_point now) {
    if (hastened_.exchange(false))
      hastened_up_to_ = answered_ + records.count();
    last_ = now;
    lingers_until_ = now + linger_;
  }
  /// After they were taken from the count.
  void answered(std::int64_t count) noexcept { answered_ += count; }

private:
  const milliseconds linger_;
  const milliseconds hastened_linger_;
  /// The thread looks after departures; else the next record wakes it.
  std::atomic<bool> awake_{false};
  std::atomic<bool> hastened_{false};
  bool idle_ = true;
  time_point lingers_until_{};
  time_point last_{};
  /// Records answered so far, and how many will be when the hastened ones are.
  std::int64_t answered_ = 0;
  std::int64_t hastened_up_to_ = 0;
};

} // namespace weir::kafka
