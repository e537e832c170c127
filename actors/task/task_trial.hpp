// A task that is constructed to see whether its parts are those of its job.
#pragma once

#include <string>

#include "actors/base/caf.hpp"
#include "weir/job.hpp"
#include "weir/task.hpp"

namespace weir {

/// Constructs a task once, on this thread, with parts that cannot be used, and
/// destroys it. Errors: `bad_argument` naming everything that the job lists and
/// the task does not use, the other way round, and what its constructor threw.
result<void> try_task(caf::actor_system& system, const job& of,
                      const task_factory& make);

} // namespace weir
