#include "actors/task_shell.hpp"

#include "runtime/log.hpp"
#include "stores/store_error.hpp"

namespace weir {

namespace {

/// Records of one turn: about half a millisecond of a cheap task, so that the
/// tasks of a thread share it fairly and a seal waits no longer.
constexpr std::size_t batch_records = 500;
/// Pause before a producer whose queue was full is tried again.
constexpr std::chrono::milliseconds room_pause{2};

} // namespace

task::shell::shell(task& self, caf::actor lane)
    : self(self), lane(std::move(lane)) {
  self.core_->set_wake([this] {
    if (!std::exchange(pumping, true))
      this->self.send(&this->self, pump_outbox{});
  });
}

caf::message_handler task::shell::handlers() {
  return {
      [this](const input_ready&) { on_ready(); },
      [this](const go_on&) {
        scheduled = false;
        drain();
      },
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
      [this](const end_task& x) { end(x.clean); },
  };
}

bool task::shell::may_process() const {
  auto& core = *self.core_;
  auto bound = core.context().settings.overlay_bytes;
  return begun && assigned && !waits_for_first_commit && !over &&
         !core.out().is_full()
         // Between seal and apply the overlay may double, not more.
         && core.state().overlay_bytes() < 2 * bound;
}

void task::shell::on_ready() {
  self.core_->handoff().relay->acknowledge();
  if (!scheduled)
    drain();
}

void task::shell::schedule() {
  if (std::exchange(scheduled, true))
    return;
  self.send(&self, go_on{});
}

void task::shell::drain() {
  if (!may_process())
    return;
  if (cursor == batches[input]->size() && !poll_next())
    return ask_for_commit();
  if (!drain_batch())
    return;
  ask_for_commit();
  schedule();
}

/// Before its time: there is too much for one commit, or nothing is to come.
void task::shell::ask_for_commit() {
  auto& core = *self.core_;
  if (commit_asked || sealing || failed)
    return;
  auto bound = core.context().settings.overlay_bytes;
  if (core.state().overlay_bytes() < bound && !core.completes_drain())
    return;
  commit_asked = true;
  tell_high(lane, commit_wanted{});
}

/// Polls the inputs in turn until one has something.
bool task::shell::poll_next() {
  auto& core = *self.core_;
  auto& inputs = core.handoff().inputs;
  for (std::size_t tried = 0; tried < inputs.size(); ++tried) {
    input = (input + 1) % inputs.size();
    cursor = 0;
    auto& reader = *inputs[input].reader;
    auto polled = reader.poll(*batches[input], batch_records);
    if (!polled) {
      fail_with(polled.error().within("reading " + inputs[input].topic + "/" +
                                      std::to_string(core.partition())));
      return false;
    }
    if (!batches[input]->empty())
      return true;
    // Markers behind the last record are consumed without any.
    if (reader.at_end())
      core.advance(input, reader.position());
  }
  return false;
}

bool task::shell::drain_batch() {
  auto& core = *self.core_;
  auto records = batches[input]->records();
  const record* last = nullptr;
  auto process = [this](const record& x) { self.process(x); };
  auto ok = guard([&] {
    while (cursor < records.size() && !core.out().is_full()) {
      auto& x = records[cursor];
      auto fate = core.consume(input, x, process);
      if (!fate)
        return fail_with(fate.error());
      if (*fate == record_fate::refused) {
        over = true;
        tell_high(lane, task_rejects{core.partition(),
                                     error{ec::task_failed, core.refusal()}});
        break;
      }
      ++cursor;
      if (*fate == record_fate::consumed)
        last = &x;
    }
  });
  if (!ok || failed)
    return false;
  if (last != nullptr)
    core.remember(input, *last);
  if (!core.out().is_drained())
    pump();
  return !over;
}

void task::shell::pump() {
  if (ended || failed)
    return;
  auto& core = *self.core_;
  auto drained = core.out().pump();
  if (!drained)
    return fail_with(drained.error());
  if (!*drained) {
    if (!std::exchange(pumping, true))
      self.delayed_send(&self, room_pause, pump_outbox{});
    return;
  }
  finish_seal();
  if (may_process())
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
  if (may_process())
    schedule();
}

void task::shell::on_seal(const seal_request& x) {
  if (ended || failed)
    return;
  if (x.last) {
    over = true;
    // C2: from the last seal on emit and put are refused.
    self.become(handlers());
  }
  if (!guard([this] {
        if (auto valid = self.on_check(); !valid)
          fail_with(valid.error().within("check"));
      }) ||
      failed)
    return;
  auto sealed = self.core_->seal(x.forced);
  if (!sealed)
    return fail_with(sealed.error());
  sealing = x.number;
  sealing_empty = !*sealed;
  commit_asked = false;
  if (x.last)
    self.core_->close();
  if (self.core_->out().is_drained())
    finish_seal();
  else
    pump();
  if (may_process())
    schedule();
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
  if (auto done = self.core_->apply(); !done)
    return fail_with(done.error().within("applying a commit"));
  waits_for_first_commit = false;
  auto& core = *self.core_;
  tell_high(lane, task_applied{core.partition(), x.number, core.committed(),
                               core.records(), core.skipped()});
  if (may_process())
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
    fail_with(*core.send_problem());
  else
    pump();
}

bool task::shell::guard_impl(const std::function<void()>& fn) {
  try {
    fn();
    return true;
  } catch (const store_error& problem) {
    fail_with(problem.reason());
  } catch (const std::exception& problem) {
    fail_with(error{ec::task_failed,
                    std::string{"the task's code threw: "} + problem.what()});
  } catch (...) {
    fail_with(error{ec::task_failed, "the task's code threw"});
  }
  return false;
}

void task::shell::fail_with(error why) {
  if (ended || std::exchange(failed, true))
    return;
  over = true;
  tell_high(lane, task_failed{self.core_->partition(), std::move(why)});
}

void task::shell::end(bool clean) {
  if (std::exchange(ended, true))
    return;
  over = true;
  self.core_->close();
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
  self.core_->state().drop();
  self.core_.reset();
  disk->post("task.close", [database, readers, partition, clean, to = lane] {
    readers->clear();
    bool closed = false;
    if (clean && *database) {
      auto done = (*database)->close();
      if (!done)
        log_warning("task.close", "task", partition, "why",
                    to_string(done.error()));
      closed = done.has_value();
    }
    database->reset();
    tell(to, task_gone{partition, closed});
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
