// The mailbox side of a task: wake-ups, batches, seals, timers.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "actors/base/log_limit.hpp"
#include "actors/base/messages.hpp"
#include "actors/task/input_watch.hpp"
#include "actors/task/messages.hpp"
#include "actors/task/task_core.hpp"
#include "actors/task/task_origin.hpp"
#include "actors/task/turn_clock.hpp"
#include "weir/task.hpp"

namespace weir {

/// Sent to a task by the ledger of turns: it has a place, its turn begins.
struct go_on {};
/// Sent by a task to itself: try to send what the producer had no room for.
struct pump_outbox {};
/// Sent by a task to itself when a timer is due.
struct timer_due {
  std::uint64_t id;
};

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::go_on)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::pump_outbox)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::timer_due)

namespace weir {

/// Private part of `weir::task`, so that its header stays small. Lives and dies
/// with its task, on the task's thread.
struct task::shell {
  shell(task& self, const detail::task_origin& of);

  caf::message_handler handlers();

  // -- reading (task_turn.cpp)

  bool may_process() const;
  /// Of the record in hand.
  bool at_end() const;
  /// One value a turn.
  std::int64_t wall_clock_ms();
  void on_ready();
  /// Asks for a turn, if there may be something to do in one.
  void schedule();
  void take_turns();
  bool take_turn();
  /// One turn; true: there is more to do.
  bool drain();
  void ask_for_commit();
  /// Records of the current batch of the current input, until the turn is over;
  /// false: stop for now.
  bool drain_batch();
  bool poll_next();
  /// `failed`: no other input may be read now.
  enum class polled { records, nothing, failed };
  polled poll_input(std::size_t which);
  void note_slow_call(const record& x);
  void note_gap(std::size_t input, const std::optional<input_watch::gap>& x);
  /// Of an input that stands still, while it does.
  void look_at_inputs();

  // -- sending

  void pump();
  void release_spare();

  // -- the transaction

  void on_begun(const transaction_begun& x);
  void on_seal(const seal_request& x);
  void note_delay(std::int64_t sent_ns);
  void finish_seal();
  void on_apply(const apply_request& x);
  weir::timer start_timer(std::chrono::milliseconds pause,
                          std::chrono::milliseconds period,
                          std::function<void()> fire);
  void on_timer(std::uint64_t id);

  // -- the end

  /// The task cannot go on in this transaction (L6).
  void fail_with(failure_place where, error why,
                 std::optional<input_fault> fault = std::nullopt,
                 std::size_t bytes = 0);
  /// It can go no further, but what is before that is good (H13).
  void reject_with(parked_kind kind, error why,
                   std::optional<input_fault> fault);
  /// Of the user's code, at the record that it processes, if it does.
  void fail_user(error why);
  std::optional<input_fault> record_at_fault() const;
  static input_fault fault_of(std::size_t input, const record& x);
  void end(bool clean);
  /// Runs user code; an exception fails the task (rule L6).
  template <class Fn>
  bool guard(Fn&& fn, task_pulse::code what = task_pulse::code::hook) {
    return guard_impl(what, std::function<void()>{std::forward<Fn>(fn)});
  }
  bool guard_impl(task_pulse::code what, const std::function<void()>& fn);
  /// Fails the task for an output that cannot be sent, or sends what waits.
  void check_send();

  struct running_timer {
    std::function<void()> fire;
    std::chrono::milliseconds period{0};
  };

  task& self;
  caf::actor lane;
  std::unique_ptr<task_core> core;
  std::vector<std::unique_ptr<record_batch>> batches;
  std::vector<input_watch> watches;
  std::size_t input = 0;
  std::size_t cursor = 0;
  /// Of the turn; 0 = not asked for yet.
  std::int64_t turn_wall_ms = 0;
  std::int64_t last_wall_ms = 0;
  outside_world& world;
  std::shared_ptr<task_pulse> pulse;
  turn_clock turn;
  std::unique_ptr<turn_ledger::seat> seat;
  /// In a turn of `turn`.
  bool in_turn = false;
  log_limit slow_lines;
  log_limit gap_lines;
  bool begun = false;
  bool assigned = false;
  bool waits_for_first_commit = false;
  bool pumping = false;
  /// The last one before another try to send; 0 = there was room.
  std::chrono::milliseconds room_pause{0};
  bool commit_asked = false;
  /// Of this transaction.
  bool hop_told = false;
  /// The next record waits until all before it is committed.
  bool held_back = false;
  /// Nothing is processed any more: after the last seal, a refusal, a failure.
  bool over = false;
  /// The lane was told; nothing of this incarnation counts any more (L3).
  bool failed = false;
  bool ended = false;
  std::optional<std::uint64_t> sealing;
  bool sealing_empty = false;
  std::map<std::uint64_t, running_timer> timers;
  std::uint64_t next_timer = 0;
};

} // namespace weir
