#include "actors/base/caf.hpp"

#include <new>

#include "actors/base/scheduling.hpp"

namespace weir {

namespace {

std::string text_of(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::bad_alloc&) {
    // Half of a node without memory is worth nothing, and a crash is safe.
    std::terminate();
  } catch (const std::exception& x) {
    return x.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

std::string text_of(const caf::error& reason) {
  auto& context = reason.context();
  if (context.match_elements<std::string>())
    return context.get_as<std::string>(0);
  return "an exception without a text";
}

const char* name_of(const caf::mailbox_element& x) {
  auto& content = x.content();
  if (content.empty())
    return "";
  auto* type = content.type(0).second;
  return type != nullptr ? type->name() : "builtin";
}

} // namespace

continuation timed(caf::actor_system& system, caf::actor_clock::time_point due,
                   std::function<void()> run) {
  return {[&clock = system.clock(), due, run = std::move(run)] {
    auto late = std::chrono::duration_cast<std::chrono::milliseconds>(
        clock.now() - due);
    if (late >= long_delay)
      log_warning("scheduler.delay", "what", "step", "ms", late.count());
    run();
  }};
}

stepping_actor::stepping_actor(caf::actor_config& config)
    : caf::event_based_actor(config) {
  set_exception_handler([this](std::exception_ptr& problem) -> caf::error {
    death_ = text_of(problem);
    log_error("actor.threw", "actor", kind_, "what", death_);
    return make_error(caf::sec::runtime_error, death_);
  });
  set_down_handler([this](caf::down_msg& x) { on_down(x); });
}

caf::invoke_message_result stepping_actor::consume(caf::mailbox_element& x) {
  if (probe_)
    probe_(kind_, name_of(x));
  return caf::event_based_actor::consume(x);
}

caf::resumable::resume_result stepping_actor::resume(caf::execution_unit* on,
                                                     std::size_t throughput) {
  // A copy: the actor may be gone when this returns.
  auto to = log_;
  log_scope scope{to};
  return caf::event_based_actor::resume(on, throughput);
}

void stepping_actor::adopt(const caf::actor& child,
                           std::function<void(const std::string&)> died) {
  monitor(child);
  children_[child.id()] = {child.address(), std::move(died)};
}

void stepping_actor::on_down(const caf::down_msg& x) {
  auto i = children_.find(x.source.id());
  if (i == children_.end())
    return;
  auto died = std::move(i->second.died);
  children_.erase(i);
  if (x.reason == caf::sec::runtime_error && died)
    died(text_of(x.reason));
}

bool stepping_actor::cleanup(caf::error&& reason, caf::execution_unit* host) {
  for (auto& [id, child] : std::exchange(children_, {}))
    if (auto who = caf::actor_cast<caf::actor>(child.who))
      end_actor(who);
  return caf::event_based_actor::cleanup(std::move(reason), host);
}

} // namespace weir
