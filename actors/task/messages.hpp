// Between a task and its lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "actors/base/caf.hpp"
#include "actors/failure/failure_policy.hpp"
#include "actors/failure/parked.hpp"
#include "actors/send/lane_producers.hpp"

namespace weir {

class task_core;

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
/// Look at the task between two of its records; for tests.
struct visit_task {
  std::function<void(task_core&)> look;
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
};
/// The overlay is large: commit now.
struct commit_wanted {};
/// T48: the transaction has records of an internal topic, which nobody reads
/// before it is committed.
struct hop_written {};
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

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::visit_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::transaction_begun)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::seal_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::apply_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::end_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::task_sealed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::outputs_acknowledged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::outputs_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::task_applied)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::commit_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::hop_written)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::task_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::task_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::task_rejects)
