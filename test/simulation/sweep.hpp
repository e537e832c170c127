// Many runs of one scenario, each with other crashes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/simulation/simulation.hpp"

namespace weir::sim {

struct sweep_result {
  std::uint64_t runs = 0;
  /// Steps or operations of the run without a crash.
  std::uint64_t length = 0;
  /// What went wrong, with the command that shows it again; at most a few.
  std::vector<std::string> failures;
};

/// One run for each `stride`-th step of the run without a crash.
sweep_result crash_after_every_step(const scenario& base,
                                    std::uint64_t stride = 1);
/// One run for each `stride`-th file operation.
sweep_result crash_in_every_operation(const scenario& base,
                                      std::uint64_t stride = 1);
/// Runs with two crashes at random steps, the second maybe in the life that
/// recovers from the first.
sweep_result crash_twice(const scenario& base, int runs);

/// Both guarantees, both kinds of crash, both loads.
std::vector<scenario> every_combination(const scenario& base);

} // namespace weir::sim
