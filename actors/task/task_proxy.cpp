#include "actors/task/task_proxy.hpp"

namespace weir {

caf::error to_caf(ec code, const std::string& text) {
  return {static_cast<std::uint8_t>(code), caf::atom("weir"),
          caf::make_message(text)};
}

task_proxy::task_proxy(caf::actor_config& config,
                       std::shared_ptr<node_context> context, int partition)
    : caf::event_based_actor(config), context_(std::move(context)),
      partition_(partition) {
  set_default_handler(
      [this](caf::scheduled_actor*,
             caf::message_view& x) -> caf::result<caf::message> {
        auto task = context_ ? context_->places.find(partition_) : nullptr;
        if (!task)
          return to_caf(ec::elsewhere, "task " + std::to_string(partition_) +
                                           " is not here now");
        delegate(task, x.move_content_to_message());
        return caf::delegated<caf::message>{};
      });
}

caf::behavior task_proxy::make_behavior() {
  // It must have one to stay; nothing sends this.
  return {[](const continuation& step) { step.run(); }};
}

void task_proxy::on_exit() {
  context_ = nullptr;
}

} // namespace weir
