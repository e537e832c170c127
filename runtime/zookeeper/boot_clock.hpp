// The clock of the lease (rule C7).
#pragma once

#include <ctime>

#include <chrono>

namespace weir::zk {

/// Time since boot. Runs on while the machine is suspended; the client's own
/// clock (CLOCK_MONOTONIC_RAW) does not, and would call a session alive that
/// expired meanwhile.
inline std::chrono::milliseconds boot_time() noexcept {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec});
}

} // namespace weir::zk
