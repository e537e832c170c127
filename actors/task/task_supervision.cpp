// What becomes of a task whose handler throws (rules L6, H31).
#include "actors/task/task_shell.hpp"

namespace weir {

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
    if (!told && !x.content().match_elements<caf::exit_msg>())
      throw;
    shell_->end(told && x.content().get_as<end_task>(0).clean);
    caf::event_based_actor::quit();
    return caf::invoke_message_result::consumed;
  }
}

} // namespace weir
