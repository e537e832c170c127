// What bringing a task up yields: everything its actor needs to process.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/base/ready_relay.hpp"
#include "actors/base/task_pulse.hpp"
#include "actors/base/znodes.hpp"
#include "actors/failure/parked.hpp"
#include "actors/failure/task_history.hpp"
#include "runtime/stream/stream.hpp"
#include "stores/database/task_database.hpp"
#include "stores/replay/restore.hpp"

namespace weir {

/// One input of a task, ready to be read.
struct task_input {
  std::string topic;
  /// Where processing goes on; a reader may start one record before it, so
  /// that the fingerprint can be compared (rule R5).
  input_position position;
  std::unique_ptr<partition_reader> reader;
};

/// Built by the bring-up, given to the task actor; moved on, never shared in
/// use.
struct restored_task {
  restored_task() = default;
  restored_task(const restored_task&) = delete;
  restored_task& operator=(const restored_task&) = delete;
  /// Of a bring-up that nobody wants any more. May block.
  ~restored_task() {
    if (database && at_commit)
      static_cast<void>(database->close());
  }

  int partition = 0;
  /// Of each input.
  int partitions = 0;
  claim_node claim;
  std::int32_t claim_version = 0;
  std::map<std::string, int> store_numbers;

  std::unique_ptr<task_database> database;
  /// The restore is finished, and nothing has been processed on top of it.
  bool at_commit = false;
  /// The commit whose state this is; none for a new task.
  std::optional<commit_record> commit;
  /// Rule R7: written again in the first commit.
  std::vector<torn_key> torn;
  /// In the order of the job's inputs.
  std::vector<task_input> inputs;
  /// Start positions (R3) or torn keys (R7) are to be committed before the
  /// first record.
  bool first_commit = false;
  /// H28: what the operator decided about a record that stopped the task; the
  /// version of its znode.
  std::shared_ptr<const parked_node> decision;
  std::int32_t decision_version = 0;
  std::shared_ptr<ready_relay> relay;
  /// Input records that were gone before they could be read, and passed over.
  std::uint64_t lost = 0;
  /// A value was larger than the changelog takes: each record's changes are
  /// looked at, until the record at fault is found.
  bool careful = false;
  /// Earlier incarnations failed there: what is before is committed first.
  suspect_records suspects;
  /// What the task's code is at; the lane keeps it too.
  std::shared_ptr<task_pulse> pulse = std::make_shared<task_pulse>();
  /// Partition counts of the job's outputs.
  std::vector<int> output_partitions;
};

} // namespace weir
