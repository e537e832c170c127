// The base of every application: a task is an actor that owns one partition of
// the inputs and the state that belongs to it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "actors/base/caf.hpp"
#include "actors/send/output.hpp"
#include "actors/task/task_core.hpp"
#include "weir/record.hpp"
#include "weir/store.hpp"

namespace weir {

/// Given to a task's constructor, passed on to `weir::task`.
struct task_setup {
  caf::actor_config* config = nullptr;
  std::shared_ptr<node_context> context;
  std::shared_ptr<restored_task> restored;
  caf::actor lane;
};

/// Whether a task's state was there already.
enum class state_origin { created, restored };

/// Subclass it, keep handles to stores and outputs as members, implement
/// `process`. All hooks, timers and message handlers of a task run one after
/// the other on the actor's thread, at batch boundaries, inside the running
/// transaction.
///
/// A task that fails (an exception, a lost claim, a failed commit) is destroyed
/// and constructed again with its state at the last commit: members that are
/// not stores start anew, timers are gone.
class task : public caf::event_based_actor {
public:
  explicit task(const task_setup& setup);
  ~task() override;

  /// One record of an input. Call `reject` for bad input. What is written to
  /// stores and outputs is committed together with the record's position.
  virtual void process(const record& x) = 0;

  /// The state is there; before the first record.
  virtual void on_assigned(state_origin how);
  /// The task goes without a commit: another node has it, or the lane failed.
  /// Emit, put and erase throw `store_error`, as in `on_close`.
  virtual void on_revoked();
  /// Before each commit. An error gives the transaction up (rule S5).
  virtual result<void> on_check();
  /// Every T_s.
  virtual void on_sync();
  /// The task ends in order: its last commit is applied. Stores can be read;
  /// emit, put and erase throw `store_error`, for no commit would hold what
  /// they write: that belongs into `on_check`.
  virtual void on_close();
  /// Own mailbox messages, such as a query. The runtime's come first.
  virtual caf::message_handler messages();

protected:
  /// A store of the job, by its declared name. Call in the constructor.
  template <class Key, class Value>
  kv_store<Key, Value> store(const std::string& name) {
    return core_->state().open<Key, Value>(core_->store_number(name), name);
  }

  /// An output of the job, by its declared name. Call in the constructor.
  template <class Key, class Value>
  weir::output<Key, Value> output(const std::string& name) {
    return {*core_, core_->output_index(name)};
  }

  /// The record being processed is bad: its writes and outputs are undone and
  /// `--on-bad-record` decides. Return from `process` after it. Of the reason
  /// the first 1000 bytes are kept.
  void reject(std::string_view reason) { core_->reject(reason); }

  /// Calls `fire` once after `pause` of processing time. Not persisted.
  void after(std::chrono::milliseconds pause, std::function<void()> fire);
  /// Calls `fire` every `period`.
  void every(std::chrono::milliseconds period, std::function<void()> fire);

  int partition() const noexcept { return core_->partition(); }
  const std::string& job_name() const noexcept {
    return core_->context().job.name();
  }

private:
  struct shell;
  friend struct shell;

  caf::behavior make_behavior() final;
  void on_exit() final;
  caf::invoke_message_result consume(caf::mailbox_element& x) final;

  std::unique_ptr<task_core> core_;
  std::unique_ptr<shell> shell_;
};

/// Spawns the user's task; throws what its constructor throws.
using task_factory =
    std::function<caf::actor(caf::actor_system&, const task_setup&)>;

namespace detail {

/// CAF constructs actors from (config, args…), users from (setup).
template <class Task>
class hosted_task final : public Task {
public:
  hosted_task(caf::actor_config& config, task_setup setup)
      : Task(with(setup, config)) {}

private:
  static const task_setup& with(task_setup& setup, caf::actor_config& config) {
    setup.config = &config;
    return setup;
  }
};

} // namespace detail

template <class Task>
task_factory make_task_factory() {
  static_assert(std::is_base_of_v<task, Task>,
                "an application's task derives from weir::task");
  static_assert(std::is_constructible_v<Task, const task_setup&>,
                "a task has a constructor that takes weir::task_setup and "
                "passes it to weir::task");
  return [](caf::actor_system& system, const task_setup& setup) {
    return caf::actor_cast<caf::actor>(
        system.spawn<detail::hosted_task<Task>>(setup));
  };
}

} // namespace weir
