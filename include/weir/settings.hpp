// How a job runs: everything that can be set, with the default and why.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "weir/detail/export.hpp"
#include "weir/error.hpp"
#include "weir/log.hpp"
#include "weir/policies.hpp"
#include "weir/record.hpp"

namespace weir {

/// What becomes of a task that stopped for good: it alone is stopped, for the
/// operator to decide (rule H28), or the process ends.
enum class task_stop_policy { park, exit };

/// What to do where input records were deleted before they were read: leave it
/// to the operator, or go on behind the gap, which is counted.
enum class lost_input_policy { park, go_on };

struct WEIR_EXPORT settings {
  // -- where
  /// Brokers, "host:port,host:port". Empty = the embedded default.
  std::string kafka{};
  /// "host:port,…[/chroot]". Empty = the embedded default.
  std::string zookeeper{};
  /// Properties for librdkafka, as given (TLS, SASL, …).
  std::map<std::string, std::string> kafka_properties{};
  /// State of the tasks, and the embedded log.
  std::string data_directory = "weir-data";
  /// Partitions of inputs that are missing; none = the embedded log makes them
  /// with 8, servers do not.
  std::optional<int> create_inputs{};
  /// Gets the events of a node's log, on any thread, several at once; none = a
  /// node is silent, and a command writes them to standard error.
  std::function<void(const log_event&)> log{};

  // -- how
  weir::guarantee guarantee = weir::guarantee::exactly_once;
  /// T_c. Unset = 100 ms exactly-once (outputs wait for it), 1 s at-least-once.
  std::optional<duration> check_interval{};
  /// Least time between two commits that are made before T_c because a task has
  /// written to an internal topic, whose records are read after the commit;
  /// from T_c on there are none.
  duration hop_interval{20};
  /// T_s.
  duration sync_interval{300'000};
  /// Scheduler threads, and lanes: a lane is what one thread commits.
  int threads = 2;
  bool until_drained = false;
  bad_record_policy on_bad_record = bad_record_policy::fail;
  /// One task's trouble is not the others'.
  task_stop_policy on_task_stop = task_stop_policy::park;
  lost_input_policy on_lost_input = lost_input_policy::park;
  /// Larger records are bad input. 1 MiB: Kafka's own default limit.
  std::size_t max_record_bytes = 1u << 20;
  start_policy start = start_policy::earliest;
  /// Rule L10: start in spite of findings on a cluster of three brokers.
  bool allow_weak = false;

  // -- sizes: of a task, at most (memory_shares.hpp divides a node's budgets)
  /// A commit starts early when a task's uncommitted changes pass this bound
  /// (attack 15: memory, and LevelDB batches beyond the write buffer).
  std::size_t overlay_bytes = 16u << 20;
  /// Decoded committed values kept by each task.
  std::size_t cache_bytes = 4u << 20;
  /// What a task may hold back between seal and the next begin (rule L5).
  std::size_t held_bytes = 1u << 20;
  /// Local queue of each producer of a lane; none = the lanes' producers share
  /// a budget (memory_shares.hpp).
  std::optional<std::size_t> producer_bytes{};
  duration producer_linger{5};

  // -- deadlines
  duration session_timeout{10'000};
  /// C6: after this a blocked fence or restore is reported again and again.
  duration patience{30'000};
  /// H34: after this a stop ends the process with what is left undone. Below
  /// the 30 s that supervisors of processes wait before they kill.
  duration stop_limit{20'000};

  duration check_interval_or_default() const {
    if (check_interval)
      return *check_interval;
    return guarantee == weir::guarantee::exactly_once ? duration{100}
                                                      : duration{1'000};
  }
  /// L9: session timeout + T_c + margin, so that a dead producer's transaction
  /// does not block its readers for longer than a take-over needs.
  duration transaction_timeout(duration interval) const {
    return session_timeout + interval + duration{10'000};
  }

  result<void> validate() const;
};

} // namespace weir
