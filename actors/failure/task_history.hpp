// What is known of a task's earlier incarnations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace weir {

/// Records of a task: index among the job's inputs, offset.
using suspect_records = std::map<std::size_t, std::int64_t>;

/// What the next incarnation of a task does otherwise than the last one, which
/// failed. Kept by the lane that has the task, and goes with it to another
/// (L8). It changes what failing costs, never what is committed: a process that
/// dies forgets it.
struct task_history {
  /// Its database cannot be read (L7).
  bool damaged = false;
  /// Bytes that its commit could not write (L7); 0: none.
  std::size_t no_room = 0;
  /// Its state had a value that the changelog does not take: each record's
  /// changes are looked at.
  bool careful = false;
  /// Its code failed at these records: what is before one is committed first,
  /// so that a task which is parked there keeps all that it has done.
  suspect_records suspects;
};

} // namespace weir
