// Where a task comes from.
#pragma once

#include <memory>

#include "actors/base/caf.hpp"
#include "actors/base/node_context.hpp"
#include "actors/task/restored_task.hpp"
#include "weir/task.hpp"

namespace weir::detail {

/// What a task is made of; or, with `trial`, only what its constructor opens is
/// of interest.
struct task_origin {
  std::shared_ptr<node_context> context;
  std::shared_ptr<restored_task> restored;
  caf::actor lane;
  task_parts* trial = nullptr;
};

} // namespace weir::detail
