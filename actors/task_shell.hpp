// The mailbox side of a task: wake-ups, batches, seals, timers.
#pragma once

#include <vector>

#include "actors/messages.hpp"
#include "actors/task.hpp"

namespace weir {

/// Sent by a task to itself: there is more to read.
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
  shell(task& self, caf::actor lane);

  caf::message_handler handlers();

  // -- reading

  bool may_process() const;
  void on_ready();
  void drain();
  void ask_for_commit();
  /// Records of the current batch of the current input; false: stop for now.
  bool drain_batch();
  bool poll_next();
  void schedule();
  void pump();

  // -- the transaction

  void on_begun(const transaction_begun& x);
  void on_seal(const seal_request& x);
  void finish_seal();
  void on_apply(const apply_request& x);
  void on_timer(std::uint64_t id);

  // -- the end

  void fail_with(error why);
  void end(bool clean);
  /// Runs user code; an exception fails the task (rule L6).
  template <class Fn>
  bool guard(Fn&& fn) {
    return guard_impl(std::function<void()>{std::forward<Fn>(fn)});
  }
  bool guard_impl(const std::function<void()>& fn);
  /// Fails the task for an output that cannot be sent, or sends what waits.
  void check_send();

  struct timer {
    std::function<void()> fire;
    std::chrono::milliseconds period{0};
  };

  task& self;
  caf::actor lane;
  std::vector<std::unique_ptr<record_batch>> batches;
  std::size_t input = 0;
  std::size_t cursor = 0;
  bool begun = false;
  bool assigned = false;
  bool waits_for_first_commit = false;
  bool scheduled = false;
  bool pumping = false;
  bool commit_asked = false;
  /// Nothing is processed any more: after the last seal, a refusal, a failure.
  bool over = false;
  /// The lane was told; nothing of this incarnation counts any more (L3).
  bool failed = false;
  bool ended = false;
  std::optional<std::uint64_t> sealing;
  bool sealing_empty = false;
  std::map<std::uint64_t, timer> timers;
  std::uint64_t next_timer = 0;
};

} // namespace weir
