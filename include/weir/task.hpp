// The base of every application: a task is an actor that owns one partition of
// the inputs and the state that belongs to it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <caf/event_based_actor.hpp>

#include "weir/detail/describe.hpp"
#include "weir/detail/export.hpp"
#include "weir/detail/handler.hpp"

namespace weir {

namespace detail {

class task_setup_access;
struct task_origin;

template <class...>
inline constexpr bool never = false;

} // namespace detail

/// Given to a task's constructor, passed on to `weir::task`.
class task_setup {
private:
  friend class task;
  friend class detail::task_setup_access;
  caf::actor_config* config = nullptr;
  const detail::task_origin* origin = nullptr;
  bool trial = false;
};

/// Whether a task's state was there already.
enum class state_origin { created, restored };

/// Random bits for the standard's distributions (splitmix64).
class random_source {
public:
  using result_type = std::uint64_t;
  explicit random_source(std::uint64_t seed) noexcept : state_(seed) {}
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() noexcept {
    auto x = state_ += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

private:
  std::uint64_t state_;
};

/// A timer of a task.
enum class timer : std::uint64_t {};

/// Subclass it, open its parts as members (`weir::use<quotes> quotes_{this};`),
/// and give each input a handler in the constructor, which does nothing else:
/// before anything runs a task is constructed once only to see whether its
/// parts are those of the job.
///
/// All hooks, timers, handlers and messages of a task run one after the other
/// on the actor's thread, inside the running transaction. A task that fails (an
/// exception, a lost claim, a failed commit) is destroyed and constructed again
/// with its state at the last commit: members that are not parts start anew,
/// timers are gone.
class WEIR_EXPORT task : public caf::event_based_actor {
public:
  explicit task(const task_setup& setup);
  ~task() override;

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
  /// Own mailbox messages, such as a query: at batch boundaries.
  virtual caf::message_handler messages();

  // The runtime's, not a task's:

  template <class... Ts>
  void become(Ts&&...) {
    static_assert(detail::never<Ts...>,
                  "a task's behavior is the runtime's: return your own "
                  "handlers from messages(), keep modes in members");
  }
  template <class... Ts>
  void quit(Ts&&...) {
    static_assert(detail::never<Ts...>,
                  "a task is ended by the runtime: throw to fail it, "
                  "reject(why) to refuse a record");
  }
  void unbecome() = delete;
  template <class... Ts>
  void set_default_handler(Ts&&...) = delete;
  template <class... Ts>
  void set_error_handler(Ts&&...) = delete;
  template <class... Ts>
  void set_exit_handler(Ts&&...) = delete;
  template <class... Ts>
  void set_exception_handler(Ts&&...) = delete;
  template <class... Ts>
  void set_down_handler(Ts&&...) = delete;

protected:
  // -- in the constructor

  /// Handles the records of an input. `handler` is called with (const K&, const
  /// V&), the decoded types, text also as std::string_view, which copies
  /// nothing; only with the one that is not `none`; or with (const record&):
  /// then nothing is decoded. What it gets is valid during the call. What does
  /// not decode never comes to it.
  template <class Topic, class Handler>
  requires(!std::is_member_function_pointer_v<Handler>) void on(
      const Topic& from, Handler handler) {
    static_assert(Topic::kind == role::input || Topic::kind == role::internal,
                  "on(topic, handler) reads a weir::input or weir::internal; to "
                  "read back what the job itself writes, declare the topic "
                  "weir::internal");
    parts().handle(
        detail::describe(from),
        detail::make_handler<typename Topic::key_format,
                             typename Topic::value_format>(std::move(handler)));
  }
  template <class Topic, class Self, class Result, class... Args>
  void on(const Topic& from, Result (Self::*handler)(Args...)) {
    static_assert(std::is_base_of_v<task, Self>,
                  "on(topic, &T::f) calls a member function of the task");
    on(from, detail::member_call<Self, Result, Args...>{
                 static_cast<Self*>(this), handler});
  }

  // -- in a handler

  /// The record being handled is bad: its writes and outputs are undone, and
  /// the policy decides. Return after it. Of the reason the first 1000 bytes
  /// are kept.
  void reject(std::string_view why);
  /// @pre in a handler
  const record& current() const;
  /// The record in hand is the last that its input has for now. @pre in a
  /// handler
  bool at_end() const;

  // -- anywhere

  /// -1 where only the wiring is looked at.
  int partition() const noexcept;
  /// Of each input, and so the tasks of the job.
  int partitions() const noexcept;
  const std::string& job_name() const noexcept;
  /// The time of the day: never falls, and is one value while a turn lasts.
  time_point now() const;
  /// Names the commit that will hold what is done now,
  /// "<generation>/<partition>#<number>": the same in whatever incarnation until
  /// that commit succeeds, and of no other one. For calls that are to have an
  /// effect once.
  std::string commit_id() const;
  /// Seeded by the runtime; goes on with other numbers after a restart.
  random_source& random() noexcept;

  /// Calls `fire` once after `pause` of processing time. Gone with the
  /// incarnation.
  timer after(std::chrono::milliseconds pause, std::function<void()> fire);
  /// Calls `fire` every `period`.
  timer every(std::chrono::milliseconds period, std::function<void()> fire);
  /// Not an error if it has fired.
  void cancel(timer x);

private:
  template <const auto&>
  friend class use;
  friend class detail::task_setup_access;
  struct WEIR_HIDDEN shell;
  friend struct shell;

  detail::task_parts& parts() noexcept { return *parts_; }
  caf::behavior make_behavior() final;
  void on_exit() final;
  caf::invoke_message_result consume(caf::mailbox_element& x) final;
  caf::resumable::resume_result resume(caf::execution_unit* on,
                                       std::size_t throughput) final;

  detail::task_parts* parts_;
  detail::task_place place_;
  random_source random_{0};
  std::unique_ptr<shell> shell_;
};

namespace detail {

template <class Definition>
struct handle_of {
  static_assert(never<Definition>,
                "weir::use<x> opens a store, an output or another part that a "
                "task owns; an input is read with on(x, handler)");
  struct type {};
};
template <class Definition>
requires requires {
  typename Definition::handle;
}
struct handle_of<Definition> {
  using type = typename Definition::handle;
};

} // namespace detail

/// A part of a task, as a member of it: `weir::use<quotes> quotes_{this};` is a
/// kv_store, of an output an emitter.
template <const auto& Definition>
class use : public detail::handle_of<
                std::remove_cvref_t<decltype(Definition)>>::type {
  using handle = typename detail::handle_of<
      std::remove_cvref_t<decltype(Definition)>>::type;

public:
  explicit use(task* owner)
      : handle(owner->parts(), detail::describe(Definition)) {}
  use(const use&) = delete;
  use& operator=(const use&) = delete;
};

/// Makes the user's task; throws what its constructor throws.
using task_factory =
    std::function<caf::actor(caf::actor_system&, const task_setup&)>;

namespace detail {

/// Fills in what the constructors of actors get, and looks at the wiring when
/// the task is constructed.
class WEIR_EXPORT task_setup_access {
public:
  static task_setup with(const task_setup& setup, caf::actor_config& config) {
    auto out = setup;
    out.config = &config;
    return out;
  }
  static task_setup make(const task_origin& origin) {
    task_setup out;
    out.origin = &origin;
    return out;
  }
  static task_setup trial(const task_origin& origin) {
    auto out = make(origin);
    out.trial = true;
    return out;
  }
  static bool is_trial(const task_setup& x) noexcept { return x.trial; }
  static int partition(const task_setup& x) noexcept;
  static void wired(task& x) { x.parts_->wired(); }
};

/// CAF constructs actors from (config, args…), users from (setup, args…).
template <class Task>
class hosted_task final : public Task {
public:
  template <class... Args>
  hosted_task(caf::actor_config& config, const task_setup& setup,
              const Args&... args)
      : Task(task_setup_access::with(setup, config), args...) {
    task_setup_access::wired(*this);
  }
};

} // namespace detail

/// Makes Task(setup, args...), again for each incarnation: the arguments are
/// copied once and given as const.
template <class Task, class... Args>
task_factory task_of(Args... args) {
  static_assert(std::is_base_of_v<task, Task>,
                "an application's task derives from weir::task");
  static_assert(
      std::is_constructible_v<Task, const task_setup&, const Args&...>,
      "weir::task_of<T>(args...): T has no constructor that takes "
      "(const weir::task_setup&, args...); write explicit T(...) : "
      "task(setup)");
  return [... args = std::move(args)](caf::actor_system& system,
                                      const task_setup& setup) {
    using hosted = detail::hosted_task<Task>;
    // A trial is only constructed.
    return caf::actor_cast<caf::actor>(
        detail::task_setup_access::is_trial(setup)
            ? system.spawn<hosted, caf::lazy_init>(setup, args...)
            : system.spawn<hosted>(setup, args...));
  };
}

} // namespace weir
