// Who answers for a task, whatever becomes of its incarnations.
#pragma once

#include <memory>

#include "actors/base/caf.hpp"
#include "actors/base/node_context.hpp"

namespace weir {

/// Hands every message on to the task's actor, with its sender, so that the
/// answer goes there directly. While the task is not here a request is answered
/// with `ec::elsewhere`, and what is sent is dropped. Ends with its node.
class task_proxy final : public caf::event_based_actor {
public:
  task_proxy(caf::actor_config& config, std::shared_ptr<node_context> context,
             int partition);

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  std::shared_ptr<node_context> context_;
  int partition_;
};

/// The category of `ec` in an error of CAF's.
caf::error to_caf(ec code, const std::string& text);

} // namespace weir
