// The only place that knows CAF's version: includes, and the few helpers whose
// spelling changes between 0.17 and later releases.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/base/executor.hpp"
#include "runtime/base/log.hpp"

namespace weir {

/// A step that runs inside the actor it was sent to. Blocking calls and the two
/// outside interfaces answer with one.
struct continuation {
  std::function<void()> run;
};

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::continuation)

namespace weir {

/// Sends without a sender; `high` overtakes what waits in the mailbox (never
/// mixed with `skip`).
template <class... Ts>
void tell(const caf::actor& to, Ts&&... xs) {
  caf::anon_send(to, std::forward<Ts>(xs)...);
}

template <class... Ts>
void tell_high(const caf::actor& to, Ts&&... xs) {
  caf::anon_send<caf::message_priority::high>(to, std::forward<Ts>(xs)...);
}

/// Exit messages queue at the back of the mailbox unless they are urgent.
inline void end_actor(const caf::actor& who) {
  caf::anon_send<caf::message_priority::high>(
      who, caf::exit_msg{who.address(), caf::exit_reason::user_shutdown});
}

/// `run`, with a line in the log if it comes so long after `due` that whatever
/// waits for it stands still.
continuation timed(caf::actor_system& system, caf::actor_clock::time_point due,
                   std::function<void()> run);

/// A handle that does not keep its actor alive, for callbacks of the outside.
class weak_actor {
public:
  weak_actor() = default;
  explicit weak_actor(const caf::actor_addr& addr) : addr_(addr) {}

  template <class... Ts>
  void tell(Ts&&... xs) const {
    if (auto to = caf::actor_cast<caf::actor>(addr_))
      caf::anon_send(to, std::forward<Ts>(xs)...);
  }

  /// Runs `step` in the actor.
  void post(std::function<void()> step) const {
    auto to = caf::actor_cast<caf::actor>(addr_);
    if (!to)
      return;
    auto& system = to.home_system();
    caf::anon_send(to, timed(system, system.clock().now(), std::move(step)));
  }

private:
  caf::actor_addr addr_;
};

/// Base of the runtime's own actors: steps that answer to the actor itself, and
/// supervision (rule H31).
///
/// Everything that is asynchronous goes through `reply` or `run_on`, so that
/// a late answer to a dead actor is dropped. An exception in a handler ends the
/// actor, and all that it has adopted; its parent hears of it with the text.
class stepping_actor : public caf::event_based_actor {
public:
  explicit stepping_actor(caf::actor_config& config);

  using caf::event_based_actor::consume;
  caf::invoke_message_result consume(caf::mailbox_element& x) override;
  caf::resumable::resume_result resume(caf::execution_unit* on,
                                       std::size_t throughput) override;
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override;

protected:
  using probe_function = std::function<void(const char*, const char*)>;

  /// What this actor is called in logs, where those go, and who looks on.
  void observe(const char* kind, node_log log, probe_function probe) {
    kind_ = kind;
    log_ = std::move(log);
    probe_ = std::move(probe);
  }

  /// Makes `child` end when this actor does. `died` runs in here if it ends by
  /// an exception.
  void adopt(const caf::actor& child,
             std::function<void(const std::string& why)> died);

  /// In `on_exit`: the text of the exception that ended this actor, if one did.
  const std::string& death() const noexcept { return death_; }

  weak_actor weak_self() { return weak_actor{address()}; }

  /// A callback for the outside: `handle(x)` runs in this actor.
  template <class T, class Handle>
  std::function<void(T)> reply(Handle handle) {
    return [self = weak_self(), handle](T x) {
      auto shared = std::make_shared<T>(std::move(x));
      self.post([handle, shared] { handle(std::move(*shared)); });
    };
  }

  /// Runs `job()` on `where`, then `handle(its result)` in this actor; what the
  /// job throws is thrown there instead. Neither if the job's token was
  /// cancelled before it began.
  template <class Job, class Handle>
  void run_on(executor& where, job_options how, Job job, Handle handle) {
    where.post(std::move(how), [self = weak_self(), job = std::move(job),
                                handle = std::move(handle)]() mutable {
      std::shared_ptr<decltype(job())> answer;
      try {
        answer = std::make_shared<decltype(job())>(job());
      } catch (...) {
        return self.post([problem = std::current_exception()] {
          std::rethrow_exception(problem);
        });
      }
      self.post([handle = std::move(handle), answer] { handle(*answer); });
    });
  }

  /// Runs `handle` in this actor after `pause`; cannot be cancelled.
  void run_after(std::chrono::milliseconds pause,
                 std::function<void()> handle) {
    delayed_send(
        this, pause,
        timed(home_system(), clock().now() + pause, std::move(handle)));
  }

private:
  struct adopted {
    caf::actor_addr who;
    std::function<void(const std::string&)> died;
  };

  void on_down(const caf::down_msg& x);

  const char* kind_ = "actor";
  node_log log_;
  probe_function probe_;
  std::map<caf::actor_id, adopted> children_;
  std::string death_;
};

} // namespace weir
