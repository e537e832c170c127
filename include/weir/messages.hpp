// Talking to tasks: messages of one's own, questions, the actor system.
#pragma once

#include <caf/actor_cast.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/scoped_actor.hpp>

#include <string>
#include <utility>

#include "weir/detail/export.hpp"
#include "weir/error.hpp"
#include "weir/record.hpp"

/// At global scope: a type that actors of this process may send each other.
#define WEIR_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)

namespace weir {

namespace detail {

/// `elsewhere`, `timed_out`, `task_failed` or `closed`, by what CAF says.
WEIR_EXPORT error reason_of(const caf::error& why, caf::actor_system& of);

} // namespace detail

/// What an actor system of one's own needs so that nodes can run on it: call it
/// before the system is made. A busy task must not delay a commit.
WEIR_EXPORT void configure(caf::actor_system_config& host);

/// [blocks] Asks an actor, such as the task that `node::task_for` answers, from
/// any thread that is no actor's; actors use `request`.
/// Errors: `timed_out`, `elsewhere` (the task is not in this process),
/// `task_failed` (it threw, or has no handler for the message), `closed`.
template <class Reply, class Message>
result<Reply> ask(const caf::actor& whom, Message what, duration patience) {
  if (!whom)
    return fail(ec::closed, "there is nobody to ask");
  auto& system = whom.home_system();
  caf::scoped_actor self{system};
  result<Reply> out = fail(ec::timed_out, "no answer");
  self->request(whom, patience, std::move(what))
      .receive([&](const Reply& x) { out = x; },
               [&](const caf::error& why) {
                 out = fail(detail::reason_of(why, system));
               });
  return out;
}

} // namespace weir
