// The outside of a simulated node's process.
#pragma once

#include <string>
#include <utility>

#include "test/driver/sim_world.hpp"
#include "test/simulation/planned_failures.hpp"

namespace weir::sim {

/// With the failures that are planned for the user's code.
class node_world final : public sim_world {
public:
  node_world(virtual_time& time, sim_random& random,
             const process_table& processes, std::int64_t pid, std::string host,
             std::string boot, planned_failures& planned)
      : sim_world(time, random, processes, pid, std::move(host),
                  std::move(boot)),
        planned_(planned) {}

  planned_failures& planned() const noexcept { return planned_; }

private:
  planned_failures& planned_;
};

} // namespace weir::sim
