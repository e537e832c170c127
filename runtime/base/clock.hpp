// Time and random ids: the seam through which both come, so that a simulation
// can own them. Durations inside actors come from CAF's clock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace weir {

/// Thread-safe.
class outside_world {
public:
  virtual ~outside_world() = default;
  /// Milliseconds since the Unix epoch.
  virtual std::int64_t wall_clock_ms() = 0;
  /// Nanoseconds since some fixed moment, never backwards. A test's world may
  /// have but one clock.
  virtual std::int64_t steady_ns() { return wall_clock_ms() * 1'000'000; }
  /// The same clock, as it stood at the kernel's last tick (some milliseconds
  /// ago at most): a fraction of the price.
  virtual std::int64_t coarse_ns() { return steady_ns(); }
  /// 64 random bits; from the operating system, or from the simulation's seed.
  virtual std::uint64_t random_bits() = 0;
  /// This boot of the machine: /proc/sys/kernel/random/boot_id.
  virtual std::string boot_id() = 0;
  virtual std::string host_name() = 0;
  virtual std::int64_t process_id() = 0;
  /// Start time of a process in clock ticks since boot, 0 if there is none
  /// with this id: (id, start time) names a process for a whole boot (C5).
  virtual std::uint64_t process_start(std::int64_t pid) = 0;
  /// The PID namespace whose table the two above speak of: containers with the
  /// host's name have each its own. Empty = unknown. A simulated machine has
  /// one.
  virtual std::string pid_namespace() { return "pid:[0]"; }
};

/// The real one.
std::shared_ptr<outside_world> make_outside_world();

/// 128 random bits as 32 hex digits.
std::string random_id(outside_world& world);

} // namespace weir
