#include "actors/task/task_shell.hpp"

#include <algorithm>

#include "actors/base/scheduling.hpp"
#include "runtime/base/log.hpp"
#include "stores/kv/store_error.hpp"

namespace weir {

namespace {

/// Pauses before a producer whose queue was full is tried again: a short one is
/// full for a moment, a long one for longer, and many tasks wait for it.
constexpr std::chrono::milliseconds first_room_pause{2};
constexpr std::chrono::milliseconds longest_room_pause{32};

/// Of a seal that did not succeed: its parts are the stores, their serdes and
/// the producer.
failure_place place_of_seal(const error& why) {
  switch (why.code()) {
  case ec::io_error:
  case ec::damaged:
  case ec::corruption:
    return failure_place::apply;
  case ec::bad_format:
  case ec::task_failed:
    return failure_place::user_code;
  default:
    return failure_place::transaction;
  }
}

/// What has to fit on the disk before a commit that did not is tried again:
/// LevelDB writes it to its log and to a table.
std::size_t room_for(std::size_t overlay_bytes) {
  return 2 * overlay_bytes + (1u << 20);
}

} // namespace

task::shell::shell(task& self, const detail::task_origin& of)
    : self(self), lane(of.lane),
      core(std::make_unique<task_core>(of.context, of.restored)),
      world(*of.context->outside.world), pulse(of.restored->pulse),
      turn(world, *pulse) {
  core->set_wake([this] {
    if (!std::exchange(pumping, true))
      this->self.send(&this->self, pump_outbox{});
  });
}

caf::message_handler task::shell::handlers() {
  return {
      [this](const input_ready&) { on_ready(); },
      [this](const go_on&) { take_turns(); },
      [this](const pump_outbox&) {
        pumping = false;
        check_send();
      },
      [this](const transaction_begun& x) { on_begun(x); },
      [this](const seal_request& x) { on_seal(x); },
      [this](const apply_request& x) { on_apply(x); },
      [this](const timer_due& x) { on_timer(x.id); },
      [this](const sync_due&) {
        if (!over)
          guard([this] { self.on_sync(); });
      },
      [this](const release_memory&) { release_spare(); },
      [this](const visit_task& x) { x.look(*core); },
      [this](const end_task& x) { end(x.clean); },
  };
}

void task::shell::release_spare() {
  if (ended || failed)
    return;
  core->state().release_spare();
  core->out().release_spare();
  // All others are at their end.
  if (cursor < batches[input]->size())
    return;
  cursor = 0;
  for (auto& each : batches)
    each = std::make_unique<record_batch>();
}

void task::shell::pump() {
  if (ended || failed)
    return;
  auto drained = core->out().pump();
  if (!drained)
    return fail_with(failure_place::transaction, drained.error());
  if (!*drained) {
    if (!std::exchange(pumping, true)) {
      room_pause =
          std::clamp(2 * room_pause, first_room_pause, longest_room_pause);
      self.delayed_send(&self, room_pause, pump_outbox{});
    }
    return;
  }
  room_pause = std::chrono::milliseconds{0};
  finish_seal();
  schedule();
}

void task::shell::on_begun(const transaction_begun& x) {
  if (ended || failed)
    return;
  begun = true;
  core->begin(x.producers, x.epoch);
  check_send();
  if (!assigned) {
    assigned = true;
    auto& restored = core->restored();
    waits_for_first_commit = restored.first_commit;
    auto how = restored.commit ? state_origin::restored : state_origin::created;
    if (!guard([this, how] { self.on_assigned(how); }))
      return;
  }
  if (!core->out().is_drained())
    pump();
  schedule();
  // What was held may be as much as a transaction takes already.
  ask_for_commit();
}

void task::shell::on_seal(const seal_request& x) {
  if (ended || failed)
    return;
  look_at_inputs();
  note_delay(x.sent_ns);
  if (x.last) {
    over = true;
    // C2: from the last seal on emit and put are refused.
    self.caf::event_based_actor::become(handlers());
  }
  if (!guard(
          [this] {
            if (auto valid = self.on_check(); !valid)
              fail_with(
                  failure_place::user_code,
                  error{ec::task_failed, "check: " + to_string(valid.error())});
          },
          task_pulse::code::check) ||
      failed)
    return;
  auto sealed = core->seal(x.forced);
  if (!sealed)
    return fail_with(place_of_seal(sealed.error()), sealed.error());
  sealing = x.number;
  sealing_empty = !*sealed;
  commit_asked = hop_told = false;
  if (x.last)
    core->close();
  if (core->out().is_drained())
    finish_seal();
  else
    pump();
  schedule();
}

/// A seal overtakes what waits in the mailbox, but not a call that runs.
void task::shell::note_delay(std::int64_t sent_ns) {
  auto waited = (world.steady_ns() - sent_ns) / 1'000'000;
  if (sent_ns == 0 || waited < long_delay.count())
    return;
  log_warning("scheduler.delay", "task", core->partition(), "what", "seal",
              "ms", waited, "slow_calls", pulse->slow_calls());
}

/// The changes are in the producer's queue: the lane may go on.
void task::shell::finish_seal() {
  if (!sealing || !core->out().is_drained())
    return;
  auto number = *std::exchange(sealing, std::nullopt);
  auto partition = core->partition();
  tell_high(lane, task_sealed{partition, number, sealing_empty});
  if (core->context().settings.guarantee != guarantee::at_least_once ||
      sealing_empty)
    return;
  auto to = weak_actor{lane.address()};
  core->out().close_outputs([to, partition, number](result<void> how) {
    if (how)
      to.tell(outputs_acknowledged{partition, number});
    else
      to.tell(outputs_failed{partition, number, how.error()});
  });
}

void task::shell::on_apply(const apply_request& x) {
  if (ended || failed)
    return;
  auto bytes = core->state().overlay_bytes();
  if (auto done = core->apply(); !done)
    return fail_with(failure_place::apply,
                     done.error().within("applying a commit"), std::nullopt,
                     room_for(bytes));
  waits_for_first_commit = held_back = false;
  tell_high(lane, task_applied{core->partition(), x.number, core->committed()});
  schedule();
}

void task::shell::on_timer(std::uint64_t id) {
  auto i = timers.find(id);
  if (over || i == timers.end())
    return;
  auto fire = i->second.fire;
  auto period = i->second.period;
  if (period.count() == 0)
    timers.erase(i);
  else
    self.delayed_send(&self, period, timer_due{id});
  if (guard(fire))
    ask_for_commit();
}

void task::shell::check_send() {
  if (core->send_problem())
    fail_with(failure_place::transaction, *core->send_problem());
  else
    pump();
}

weir::timer task::shell::start_timer(std::chrono::milliseconds pause,
                                     std::chrono::milliseconds period,
                                     std::function<void()> fire) {
  auto id = next_timer++;
  timers[id] = {std::move(fire), period};
  self.delayed_send(&self, pause, timer_due{id});
  return weir::timer{id};
}

} // namespace weir
