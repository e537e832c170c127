// A coordination session whose calls about claims fail as planned.
#pragma once

#include <functional>
#include <memory>

#include "runtime/coordination/coordination.hpp"
#include "test/simulation/planned_failures.hpp"

namespace weir::sim {

/// `planned` must outlive it. `expire` ends the session at the service: a
/// planned `session_expired` is a true one.
std::unique_ptr<coordination>
make_failing_session(std::unique_ptr<coordination> base,
                     planned_failures& planned, std::function<void()> expire);

} // namespace weir::sim
