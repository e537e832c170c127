// What a node says of itself, while it runs and when it has ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/detail/export.hpp"
#include "weir/error.hpp"

namespace weir {

/// Why a node ended; the exit code of a process that is one (table in README).
enum class node_outcome {
  /// Stopped in order, or drained.
  stopped = 0,
  /// It could not start or go on: servers, settings, topics.
  failed = 1,
  /// A task stopped for good: bad input under `fail`, or its code fails.
  task_stopped = 3,
  /// State, changelog or inputs do not fit together: the operator decides.
  data_loss = 4,
};

struct node_report {
  node_outcome outcome = node_outcome::stopped;
  /// One line; names task and cause.
  std::string text;
  /// Of what was no orderly stop.
  ec cause = ec::closed;
  /// Processed and committed; of those the bad ones; and inputs' records that
  /// were deleted before they were read.
  std::uint64_t records = 0;
  std::uint64_t skipped = 0;
  std::uint64_t lost = 0;
  /// `settings::until_drained`: all that there was at the start is committed.
  bool drained = false;
  /// Some of what was processed is not committed: it comes again.
  bool uncommitted = false;
  /// What did not end in time and still runs; empty as a rule.
  std::string left;
  /// It ended by an exception of its own.
  bool died = false;
};

/// waiting: its owner lives; claiming: the claim, or the fence before it;
/// restoring: the state comes back; paused: the operator, or an input that has
/// grown; parked: stopped by an error, a person has to decide.
enum class task_phase { waiting, claiming, restoring, running, paused, parked };
/// "running"
WEIR_EXPORT std::string_view to_string(task_phase x) noexcept;

struct task_status {
  int partition = 0;
  task_phase phase = task_phase::claiming;
  /// Why it is not running.
  std::string reason;
  /// The next offset of each input and internal topic of the job, as committed.
  std::vector<std::int64_t> positions;
};

struct node_status {
  /// Joined, and every task of the job runs here or has another owner.
  bool ready = false;
  std::vector<task_status> tasks;
};

} // namespace weir
