#include "actors/caf.hpp"

#include "actors/scheduling.hpp"
#include "runtime/log.hpp"

namespace weir {

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

} // namespace weir
