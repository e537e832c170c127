// What becomes of a task whose handler throws (rules L6, H31), and where what
// it logs goes.
#include "actors/task/task_proxy.hpp"
#include "actors/task/task_shell.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

std::string text_of(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& x) {
    return x.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

/// Who asked would wait for ever: what a handler throws answers nobody.
void answer(const caf::mailbox_element& x, const std::exception_ptr& problem) {
  if (!x.mid.is_request() || !x.sender)
    return;
  auto why =
      to_caf(ec::task_failed, "the task's handler threw: " + text_of(problem));
  x.sender->enqueue(nullptr, x.mid.response_id(),
                    caf::make_message(std::move(why)), nullptr);
}

} // namespace

caf::resumable::resume_result task::resume(caf::execution_unit* on,
                                           std::size_t throughput) {
  auto to = shell_ ? shell_->core->context().outside.log : node_log{};
  log_scope scope{to};
  return caf::event_based_actor::resume(on, throughput);
}

caf::invoke_message_result task::consume(caf::mailbox_element& x) {
  try {
    auto* core = shell_->core.get();
    if (core != nullptr && core->context().outside.handler_probe) {
      auto* type = x.content().empty() ? nullptr : x.content().type(0).second;
      core->context().outside.handler_probe(
          "task", type != nullptr ? type->name() : "builtin");
    }
    return caf::event_based_actor::consume(x);
  } catch (...) {
    // Told to end, it ends; anything else fails the task, and the lane ends it.
    auto told = x.content().match_elements<end_task>();
    if (!told && !x.content().match_elements<caf::exit_msg>()) {
      answer(x, std::current_exception());
      throw;
    }
    shell_->end(told && x.content().get_as<end_task>(0).clean);
    caf::event_based_actor::quit();
    return caf::invoke_message_result::consumed;
  }
}

} // namespace weir
