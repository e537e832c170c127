// What bringing a task up yields: everything its actor needs to process.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/ready_relay.hpp"
#include "actors/znodes.hpp"
#include "runtime/stream.hpp"
#include "stores/restore.hpp"
#include "stores/task_database.hpp"

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
struct task_handoff {
  int partition = 0;
  claim_node claim;
  std::int32_t claim_version = 0;
  std::map<std::string, int> store_numbers;

  std::unique_ptr<task_database> database;
  /// The commit whose state this is; none for a new task.
  std::optional<commit_record> commit;
  /// Rule R7: written again in the first commit.
  std::vector<torn_key> torn;
  /// In the order of the job's inputs.
  std::vector<task_input> inputs;
  /// Start positions (R3) or torn keys (R7) are to be committed before the
  /// first record.
  bool first_commit = false;
  std::shared_ptr<ready_relay> relay;
  /// Partition counts of the job's outputs.
  std::vector<int> output_partitions;
};

} // namespace weir
