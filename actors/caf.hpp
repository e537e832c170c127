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
#include <memory>

#include "runtime/executor.hpp"

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

/// Base of the runtime's own actors: steps that answer to the actor itself.
/// Everything that is asynchronous goes through `reply` or `run_on`, so that
/// a late answer to a dead actor is dropped.
class stepping_actor : public caf::event_based_actor {
public:
  using caf::event_based_actor::event_based_actor;

protected:
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
};

} // namespace weir
