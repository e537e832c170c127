// What a failure leads to (rule H27): one table, so that the environment is
// never blamed on a task, and one count of what a task's own code did (L8).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "actors/failure/input_gap.hpp"
#include "weir/error.hpp"

namespace weir {

/// A record at fault, or the gap before one.
struct input_fault {
  std::size_t input = 0;
  std::string topic;
  std::int64_t offset = -1;
  /// The first offset that is left, where records are gone.
  std::int64_t until = -1;
  /// What other inputs of the task have lost as well.
  std::vector<input_gap> more_gaps;
  /// Sizes only; -1 = absent.
  std::int64_t key_bytes = -1;
  std::int64_t value_bytes = -1;
};

/// Where a failure happened: the columns of the table.
enum class failure_place {
  /// Opening the database, reading the changelog.
  restore,
  /// Reading or writing the claim, fencing the owner before.
  claim,
  /// Initialising a lane's producer id.
  open_id,
  /// Begin, send, commit.
  transaction,
  /// Writing a commit to the database, or reading a store.
  apply,
  /// Reading an input.
  input,
  /// The task's own code: process, timers, hooks, validators.
  user_code,
};

/// What is done about it. In every cell that can be met exactly one.
enum class reaction {
  /// This place does not answer so; met all the same, the node stops.
  impossible,
  /// The same step again, after 0.2 to 5 s.
  retry,
  /// The same, for ever; after 30 s visible as waiting, with its cure.
  pause,
  /// The lane goes into its next life (L3); nobody is blamed.
  lane,
  /// The same; the task comes back after a pause only.
  lane_pause,
  /// The same; the task's database is built anew from the changelog (L7).
  lane_rebuild,
  /// The database is set aside and built anew.
  rebuild,
  /// The same as `lane`, and the task is blamed (L8).
  lane_blame,
  /// The same as `lane`, and the task is parked.
  lane_park,
  /// The task leaves at the next commit and is parked (H13, H28).
  leave_park,
  /// Parked at once: it is in no transaction.
  park,
  /// The node ends in order, exit code 1.
  node,
};

/// Pure. The table of rule H27; every cell is a test.
reaction react(failure_place where, ec what) noexcept;

/// Says at level debug what `react` answers: "failure.decided".
void log_decision(failure_place where, ec what);

std::string_view to_string(failure_place x) noexcept;
std::string_view to_string(reaction x) noexcept;

/// How far a task is: its next offset in each input.
using task_positions = std::vector<std::int64_t>;

/// Failures of one task's own code (rule L8). They count by position: only a
/// commit that passes the record at fault starts at zero. Used by the lane that
/// has the task; knows no clock.
class blame_record {
public:
  enum class verdict {
    /// Again, after `pause_ms`.
    retry,
    /// Three failures: a lane of its own, so that it does not drag others down.
    own_lane,
    /// Three more there: park it.
    park,
  };
  struct answer {
    verdict what = verdict::retry;
    std::int64_t pause_ms = 0;
  };

  /// The task failed at `fault`: the positions that a commit has to pass for
  /// the failure to be over. For a record at fault that is the record's offset
  /// in its input and INT64_MAX elsewhere; without one, all current positions.
  answer failed(const task_positions& fault, std::int64_t now_ms, bool solo);
  /// A commit was applied.
  void committed(const task_positions& positions) noexcept;

  int in_a_row() const noexcept { return in_a_row_; }

private:
  std::optional<task_positions> fault_;
  int in_a_row_ = 0;
  std::deque<std::int64_t> recent_ms_;
};

} // namespace weir
