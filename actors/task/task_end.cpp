// How a task's incarnation fails and ends (rules L6, H13).
#include "actors/failure/failure_policy.hpp"
#include "actors/task/task_shell.hpp"
#include "runtime/base/log.hpp"
#include "stores/kv/store_error.hpp"

namespace weir {

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
    why = why.within(fault->topic + "/" + std::to_string(core->partition()) +
                     "@" + std::to_string(fault->offset));
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
    log_decision(where, why.code());
    auto kind = why.code() == ec::data_loss ? parked_kind::data_loss
                                            : parked_kind::corruption;
    return reject_with(kind, std::move(why), std::move(fault));
  }
  failed = over = true;
  task_failed out{core->partition(), where, std::move(why), std::move(fault),
                  core->positions(), bytes};
  tell_high(lane, std::move(out));
}

void task::shell::reject_with(parked_kind kind, error why,
                              std::optional<input_fault> fault) {
  over = true;
  tell_high(lane, task_rejects{core->partition(), kind, std::move(why),
                               std::move(fault)});
}

void task::shell::end(bool clean) {
  if (std::exchange(ended, true))
    return;
  over = true;
  seat.reset();
  core->close();
  pulse->enter(task_pulse::code::hook, world.steady_ns());
  try {
    if (clean)
      self.on_close();
    else
      self.on_revoked();
  } catch (const std::exception& problem) {
    log_warning("task.hook_threw", "task", core->partition(), "what",
                problem.what());
  } catch (...) {
    log_warning("task.hook_threw", "task", core->partition());
  }
  pulse->leave();
  self.caf::event_based_actor::quit();
  // The stores point into the database, the readers call into this actor: both
  // go before it does. Closing may wait for the disk.
  auto& restored = core->restored();
  batches.clear();
  auto partition = core->partition();
  auto database = std::make_shared<std::unique_ptr<task_database>>(
      std::move(restored.database));
  auto readers =
      std::make_shared<std::vector<task_input>>(std::move(restored.inputs));
  auto disk = core->context().outside.run.disk;
  bool uncommitted = core->uncommitted();
  core->state().drop();
  core.reset();
  disk->post("task.close",
             [database, readers, partition, uncommitted, to = lane] {
               readers->clear();
               bool closed = false;
               // It is at a commit in any case, and says so with its clean
               // mark.
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

} // namespace weir
