// What belongs to the settings of a job and is nobody's interface: limits,
// places, how times are written.
#pragma once

#include <chrono>
#include <string>

#include "weir/settings.hpp"

namespace weir {

using std::chrono::milliseconds;

/// What a time may be, for every place where it can be set.
struct duration_limits {
  milliseconds least;
  milliseconds most;

  /// Errors: `bad_argument`, "<name> must be 1ms to 10m".
  result<void> check(const std::string& name, milliseconds x) const;
};

inline constexpr duration_limits check_interval_limits{milliseconds{1},
                                                       milliseconds{600'000}};
/// A sync costs more than a second's work.
inline constexpr duration_limits sync_interval_limits{milliseconds{1'000},
                                                      milliseconds{86'400'000}};
/// With the longest T_c, a transaction must stay below the 15 minutes that
/// brokers allow (`transaction_timeout`).
inline constexpr duration_limits session_timeout_limits{milliseconds{1'000},
                                                        milliseconds{240'000}};
/// From one commit after the other to never before T_c.
inline constexpr duration_limits hop_interval_limits{milliseconds{1},
                                                     milliseconds{600'000}};
/// Below the shortest transaction timeout.
inline constexpr duration_limits producer_linger_limits{milliseconds{0},
                                                        milliseconds{5'000}};
/// A commit and a release need some time; more than ten minutes is no stop.
inline constexpr duration_limits stop_limit_limits{milliseconds{1'000},
                                                   milliseconds{600'000}};

/// Where a task's database lies below the data directory.
inline std::string task_directory(const settings& how, const std::string& job,
                                  int partition) {
  return how.data_directory + "/tasks/" + job + "/" + std::to_string(partition);
}
/// Where the embedded log and coordination lie.
inline std::string embedded_directory(const settings& how) {
  return how.data_directory + "/embedded";
}

/// "100ms", "5s", "5m", "1h"; a plain number is refused.
result<milliseconds> parse_duration(const std::string& text);
std::string format_duration(milliseconds x);

} // namespace weir
