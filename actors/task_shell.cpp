#include "actors/task_shell.hpp"

#include "actors/scheduling.hpp"
#include "runtime/log.hpp"
#include "stores/store_error.hpp"

namespace weir {

namespace {

/// Pause before a producer whose queue was full is tried again.
constexpr std::chrono::milliseconds room_pause{2};

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

task::shell::shell(task& self, caf::actor lane)
    : self(self), lane(std::move(lane)),
      world(*self.core_->context().outside.world),
      pulse(self.core_->handoff().pulse), turn(world, *pulse) {
  self.core_->set_wake([this] {
    if (!std::exchange(pumping, true))
      this->self.send(&this->self, pump_outbox{});
  });
}

caf::message_handler task::shell::handlers() {
  return {
      [this](const input_ready&) { on_ready(); },
      [this](const go_on&) { take_turn(); },
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
      [this](const end_task& x) { end(x.clean); },
  };
}

void task::shell::release_spare() {
  if (ended || failed)
    return;
  auto& core = *self.core_;
  core.state().release_spare();
  core.out().release_spare();
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
  auto& core = *self.core_;
  auto drained = core.out().pump();
  if (!drained)
    return fail_with(failure_place::transaction, drained.error());
  if (!*drained) {
    if (!std::exchange(pumping, true))
      self.delayed_send(&self, room_pause, pump_outbox{});
    return;
  }
  finish_seal();
  schedule();
}

void task::shell::on_begun(const transaction_begun& x) {
  if (ended || failed)
    return;
  begun = true;
  self.core_->begin(x.producers, x.epoch);
  check_send();
  if (!assigned) {
    assigned = true;
    auto& handoff = self.core_->handoff();
    waits_for_first_commit = handoff.first_commit;
    auto how = handoff.commit ? state_origin::restored : state_origin::created;
    if (!guard([this, how] { self.on_assigned(how); }))
      return;
  }
  if (!self.core_->out().is_drained())
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
    self.become(handlers());
  }
  if (!guard(
          [this] {
            if (auto valid = self.on_check(); !valid)
              fail_with(failure_place::user_code,
                        error{ec::task_failed,
                              "check: " + to_string(valid.error())});
          },
          task_pulse::code::check) ||
      failed)
    return;
  auto sealed = self.core_->seal(x.forced);
  if (!sealed)
    return fail_with(place_of_seal(sealed.error()), sealed.error());
  sealing = x.number;
  sealing_empty = !*sealed;
  commit_asked = false;
  if (x.last)
    self.core_->close();
  if (self.core_->out().is_drained())
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
  log_warning("scheduler.delay", "task", self.core_->partition(), "what",
              "seal", "ms", waited, "slow_calls", pulse->slow_calls());
}

/// The changes are in the producer's queue: the lane may go on.
void task::shell::finish_seal() {
  if (!sealing || !self.core_->out().is_drained())
    return;
  auto number = *std::exchange(sealing, std::nullopt);
  auto partition = self.core_->partition();
  tell_high(lane, task_sealed{partition, number, sealing_empty});
  if (self.core_->context().settings.guarantee != guarantee::at_least_once ||
      sealing_empty)
    return;
  auto to = weak_actor{lane.address()};
  self.core_->out().close_outputs([to, partition, number](result<void> how) {
    if (how)
      to.tell(outputs_acknowledged{partition, number});
    else
      to.tell(outputs_failed{partition, number, how.error()});
  });
}

void task::shell::on_apply(const apply_request& x) {
  if (ended || failed)
    return;
  auto bytes = self.core_->state().overlay_bytes();
  if (auto done = self.core_->apply(); !done)
    return fail_with(failure_place::apply,
                     done.error().within("applying a commit"), std::nullopt,
                     room_for(bytes));
  waits_for_first_commit = held_back = false;
  auto& core = *self.core_;
  tell_high(lane, task_applied{core.partition(), x.number, core.committed(),
                               core.records(), core.skipped()});
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
  guard(fire);
}

void task::shell::check_send() {
  auto& core = *self.core_;
  if (core.send_problem())
    fail_with(failure_place::transaction, *core.send_problem());
  else
    pump();
}

bool task::shell::guard_impl(task_pulse::code what,
                             const std::function<void()>& fn) {
  // A turn keeps the pulse itself, record by record.
  struct entered {
    ~entered() {
      if (!of.in_turn)
        of.pulse->leave();
    }
    shell& of;
  } until{*this};
  if (!in_turn)
    pulse->enter(what, world.steady_ns());
  try {
    fn();
    return true;
  } catch (const store_error& problem) {
    fail_user(problem.reason());
  } catch (const std::exception& problem) {
    fail_user(error{ec::task_failed,
                    std::string{"the task's code threw: "} + problem.what()});
  } catch (...) {
    fail_user(error{ec::task_failed, "the task's code threw"});
  }
  return false;
}

void task::shell::fail_user(error why) {
  auto fault = record_at_fault();
  if (fault)
    why = why.within(fault->topic + "/" +
                     std::to_string(self.core_->partition()) + "@" +
                     std::to_string(fault->offset));
  switch (why.code()) {
  case ec::io_error:
  case ec::damaged:
  case ec::corruption:
    // Thrown by a store that could not be read: not the user's doing.
    return fail_with(failure_place::apply, std::move(why), std::move(fault));
  default:
    return fail_with(failure_place::user_code,
                     error{ec::task_failed, why.text()}, std::move(fault));
  }
}

std::optional<input_fault> task::shell::record_at_fault() const {
  if (!in_turn || cursor >= batches[input]->size())
    return std::nullopt;
  return fault_of(input, batches[input]->records()[cursor]);
}

void task::shell::fail_with(failure_place where, error why,
                            std::optional<input_fault> fault,
                            std::size_t bytes) {
  if (ended || failed)
    return;
  // What the input itself says of its next record leaves the ones before it
  // good.
  if (react(where, why.code()) == reaction::leave_park && !over) {
    log_debug("failure.decided", "where", to_string(where), "what",
              to_string(why.code()), "reaction",
              to_string(reaction::leave_park));
    auto kind = why.code() == ec::data_loss ? parked_kind::data_loss
                                            : parked_kind::corruption;
    return reject_with(kind, std::move(why), std::move(fault));
  }
  failed = over = true;
  auto& core = *self.core_;
  task_failed out{core.partition(), where, std::move(why), std::move(fault),
                  core.positions(), bytes};
  tell_high(lane, std::move(out));
}

void task::shell::reject_with(parked_kind kind, error why,
                              std::optional<input_fault> fault) {
  over = true;
  tell_high(lane, task_rejects{self.core_->partition(), kind, std::move(why),
                               std::move(fault)});
}

void task::shell::end(bool clean) {
  if (std::exchange(ended, true))
    return;
  over = true;
  seat.reset();
  self.core_->close();
  pulse->enter(task_pulse::code::hook, world.steady_ns());
  try {
    if (clean)
      self.on_close();
    else
      self.on_revoked();
  } catch (const std::exception& problem) {
    log_warning("task.hook_threw", "task", self.core_->partition(), "what",
                problem.what());
  } catch (...) {
    log_warning("task.hook_threw", "task", self.core_->partition());
  }
  pulse->leave();
  self.quit();
  // The stores point into the database, the readers call into this actor: both
  // go before it does. Closing may wait for the disk.
  auto& handoff = self.core_->handoff();
  batches.clear();
  auto partition = self.core_->partition();
  auto database = std::make_shared<std::unique_ptr<task_database>>(
      std::move(handoff.database));
  auto readers =
      std::make_shared<std::vector<task_input>>(std::move(handoff.inputs));
  auto disk = self.core_->context().outside.run.disk;
  bool uncommitted = self.core_->uncommitted();
  self.core_->state().drop();
  self.core_.reset();
  disk->post("task.close", [database, readers, partition, uncommitted,
                            to = lane] {
    readers->clear();
    bool closed = false;
    // It is at a commit in any case, and says so with its clean mark.
    if (*database) {
      auto done = (*database)->close();
      if (!done)
        log_warning("task.close", "task", partition, "why",
                    to_string(done.error()));
      closed = done.has_value();
    }
    database->reset();
    tell(to, task_gone{partition, closed, uncommitted});
  });
  lane = nullptr;
}

// -- weir::task

task::task(const task_setup& setup)
    : caf::event_based_actor(*setup.config),
      core_(std::make_unique<task_core>(setup.context, setup.handoff)),
      shell_(std::make_unique<shell>(*this, setup.lane)) {}

task::~task() = default;

void task::on_assigned(state_origin) {}
void task::on_revoked() {}
result<void> task::on_check() {
  return {};
}
void task::on_sync() {}
void task::on_close() {}
caf::message_handler task::messages() {
  return {};
}

caf::behavior task::make_behavior() {
  auto inputs = core_->handoff().inputs.size();
  for (std::size_t i = 0; i < inputs; ++i)
    shell_->batches.push_back(std::make_unique<record_batch>());
  shell_->watches.resize(inputs);
  core_->pulses().add(core_->partition(), shell_->pulse);
  shell_->seat =
      core_->turns().join([to = weak_actor{address()}] { to.tell(go_on{}); });
  core_->handoff().relay->connect(weak_actor{address()});
  set_exception_handler([this](std::exception_ptr& problem) -> caf::error {
    shell_->guard([&] { std::rethrow_exception(problem); });
    return caf::none;
  });
  return shell_->handlers().or_else(messages());
}

void task::on_exit() {
  if (shell_)
    shell_->end(false);
}

void task::after(std::chrono::milliseconds pause, std::function<void()> fire) {
  auto id = shell_->next_timer++;
  shell_->timers[id] = {std::move(fire), std::chrono::milliseconds{0}};
  delayed_send(this, pause, timer_due{id});
}

void task::every(std::chrono::milliseconds period, std::function<void()> fire) {
  auto id = shell_->next_timer++;
  shell_->timers[id] = {std::move(fire), period};
  delayed_send(this, period, timer_due{id});
}

namespace detail {

void emit(task_core& core, int output, std::string_view key, bool has_key,
          std::optional<std::string_view> value, std::int64_t timestamp,
          std::int32_t partition) {
  core.emit(output, key, has_key, value, timestamp, partition);
}

} // namespace detail

} // namespace weir
