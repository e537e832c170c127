// Between a lane and its node, and from a let-go to its lane.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "actors/base/caf.hpp"
#include "actors/base/node_context.hpp"
#include "actors/failure/parked.hpp"
#include "actors/failure/task_history.hpp"
#include "weir/error.hpp"

namespace weir {

// -- node -> lane

/// Commit, release the claims, end. Answered with `lane_stopped`.
struct stop_lane {};
/// The session is over: end without a commit and without the claims. Answered
/// with `lane_stopped`.
struct drop_lane {};
/// T_c changed.
struct set_check_interval {
  milliseconds value;
};

// -- lane -> node

/// The task's owner lives, or something blocks: for the log and the operator.
struct task_waiting {
  int partition;
  std::string reason;
  /// A live process has the task.
  bool held_elsewhere = false;
  /// It waits for the operator's decision.
  std::shared_ptr<const parked_node> parked = nullptr;
};
/// The claim is this node's, the state comes back.
struct task_restoring {
  int partition;
};
/// The task processes; positions per input as committed.
struct task_progress {
  int partition;
  std::vector<std::int64_t> positions;
};
/// H28: the task has stopped for good; the others go on.
struct task_parked {
  int partition;
  std::shared_ptr<const parked_node> why;
};
/// Nothing of this node can go on: end in order, exit code 1.
struct node_failed {
  error why;
};
/// Rule L8: three failures in a row; the node gives it a lane of its own.
struct task_suspect {
  int partition;
  std::string reason;
  task_history history;
};
struct lane_stopped {
  int lane;
  /// All that its tasks had processed is in a commit.
  bool committed = true;
};
/// A producer id is initialised: the cluster has its internal topics.
struct lane_opened {};

// -- let_go -> lane

/// The claim is released, or was not ours.
struct let_gone {
  int partition;
  std::uint64_t attempt;
};

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::stop_lane)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::drop_lane)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::set_check_interval)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::task_waiting)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::task_restoring)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::task_progress)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::task_parked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::node_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::task_suspect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::lane_stopped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::lane_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::let_gone)
