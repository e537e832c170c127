// Every message between the runtime's actors: who sends it and when. All are
// local to a process and handled by const reference.
//
//   membership -> node -> lane -> {bring_up, task}, and answers the other way.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/caf.hpp"
#include "actors/failure_policy.hpp"
#include "actors/lane_producers.hpp"
#include "actors/node_context.hpp"
#include "actors/parked.hpp"
#include "actors/task_history.hpp"

namespace weir {

struct task_handoff;

// -- membership -> node

/// The node is a member: session open, job node agreed, member node created.
struct joined {
  std::shared_ptr<membership_info> info;
};
/// The session or the lease is over: drop everything, join again (design, 5).
struct session_lost {
  std::string reason;
};
/// Joining cannot succeed without the operator.
struct join_failed {
  error why;
};
/// The job's live settings changed (or were read for the first time).
struct live_settings {
  config_node settings;
};
/// Member nodes came or went. Also node -> lane -> bring_up.
struct members_changed {};
/// Answer to `leave_job`: the member node is gone, the session closed.
struct left {};

// -- node -> membership

struct leave_job {};

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
/// T_s passed. Also lane -> task.
struct sync_due {};
/// Nothing has been processed for a while: memory that was for speed is given
/// back. Also lane -> task.
struct release_memory {};

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
/// The task processes; positions per input as committed.
struct task_progress {
  int partition;
  std::vector<std::int64_t> positions;
  std::uint64_t records;
  std::uint64_t skipped;
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

// -- bring_up -> lane

struct brought_up {
  int partition;
  std::uint64_t attempt;
  std::shared_ptr<task_handoff> handoff;
};
struct bring_up_waits {
  int partition;
  std::uint64_t attempt;
  std::string reason;
  bool held_elsewhere = false;
  std::shared_ptr<const parked_node> parked = nullptr;
};
struct bring_up_failed {
  int partition;
  std::uint64_t attempt;
  failure_place where;
  error why;
  /// Where in an input, if it was there.
  std::optional<input_fault> fault;
};

// -- let_go -> lane

/// The claim is released, or was not ours.
struct let_gone {
  int partition;
  std::uint64_t attempt;
};

// -- lane -> task

struct transaction_begun {
  std::uint64_t number;
  std::shared_ptr<lane_producers> producers;
  std::uint64_t epoch;
};
struct seal_request {
  std::uint64_t number;
  bool forced;
  bool last;
  /// When, by `outside_world::steady_ns`; 0 = not known.
  std::int64_t sent_ns = 0;
};
struct apply_request {
  std::uint64_t number;
};
/// End: close the database (cleanly after a last commit, else as it is) on the
/// disk's executor and answer with `task_gone`.
struct end_task {
  /// Its last commit is applied.
  bool clean;
};

// -- task -> lane

struct task_sealed {
  int partition;
  std::uint64_t number;
  bool empty;
};
struct outputs_acknowledged {
  int partition;
  std::uint64_t number;
};
struct outputs_failed {
  int partition;
  std::uint64_t number;
  error why;
};
struct task_applied {
  int partition;
  std::uint64_t number;
  std::vector<std::int64_t> positions;
  std::uint64_t records;
  std::uint64_t skipped;
};
/// The overlay is large: commit now.
struct commit_wanted {};
/// The task's database is closed and its actor has ended.
struct task_gone {
  int partition;
  bool clean;
  /// It had processed or emitted something that no commit holds.
  bool uncommitted;
};
/// The task cannot go on in this transaction (rule L6).
struct task_failed {
  int partition;
  failure_place where;
  error why;
  /// The record at fault, if it was one.
  std::optional<input_fault> fault;
  /// Without one: how far the task was in each input.
  std::vector<std::int64_t> positions;
  /// Of a commit that could not be written to the database.
  std::size_t bytes = 0;
  /// Its call has not returned: it cannot be ended yet.
  bool stuck = false;
};
/// It can go no further: commit what is before the fault, then park it (H13).
struct task_rejects {
  int partition;
  parked_kind kind;
  error why;
  std::optional<input_fault> fault;
};

} // namespace weir

#define WEIR_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::type)
WEIR_LOCAL_MESSAGE(joined)
WEIR_LOCAL_MESSAGE(session_lost)
WEIR_LOCAL_MESSAGE(join_failed)
WEIR_LOCAL_MESSAGE(live_settings)
WEIR_LOCAL_MESSAGE(members_changed)
WEIR_LOCAL_MESSAGE(left)
WEIR_LOCAL_MESSAGE(leave_job)
WEIR_LOCAL_MESSAGE(stop_lane)
WEIR_LOCAL_MESSAGE(drop_lane)
WEIR_LOCAL_MESSAGE(set_check_interval)
WEIR_LOCAL_MESSAGE(sync_due)
WEIR_LOCAL_MESSAGE(release_memory)
WEIR_LOCAL_MESSAGE(task_waiting)
WEIR_LOCAL_MESSAGE(task_progress)
WEIR_LOCAL_MESSAGE(task_parked)
WEIR_LOCAL_MESSAGE(node_failed)
WEIR_LOCAL_MESSAGE(task_suspect)
WEIR_LOCAL_MESSAGE(lane_stopped)
WEIR_LOCAL_MESSAGE(lane_opened)
WEIR_LOCAL_MESSAGE(brought_up)
WEIR_LOCAL_MESSAGE(bring_up_waits)
WEIR_LOCAL_MESSAGE(bring_up_failed)
WEIR_LOCAL_MESSAGE(let_gone)
WEIR_LOCAL_MESSAGE(transaction_begun)
WEIR_LOCAL_MESSAGE(seal_request)
WEIR_LOCAL_MESSAGE(apply_request)
WEIR_LOCAL_MESSAGE(end_task)
WEIR_LOCAL_MESSAGE(task_gone)
WEIR_LOCAL_MESSAGE(task_sealed)
WEIR_LOCAL_MESSAGE(outputs_acknowledged)
WEIR_LOCAL_MESSAGE(outputs_failed)
WEIR_LOCAL_MESSAGE(task_applied)
WEIR_LOCAL_MESSAGE(commit_wanted)
WEIR_LOCAL_MESSAGE(task_failed)
WEIR_LOCAL_MESSAGE(task_rejects)
#undef WEIR_LOCAL_MESSAGE
