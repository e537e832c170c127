// The connection between a simulated node and its coordination service.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "runtime/embedded/coordination.hpp"
#include "test/simulation/sim_world.hpp"

namespace weir::sim {

/// Sessions whose connections break, with a request or a reply on its way or
/// without, and come back; sometimes only after the session has expired. One
/// thread; `random` and `time` must outlive it.
class sim_network final : public coordination_service {
public:
  /// `percent`: chance of a fault after each step.
  sim_network(std::shared_ptr<embedded_coordination> base, unsigned percent,
              random_source& random, const virtual_time& time);

  std::string describe() const override;
  result<std::unique_ptr<coordination>>
  open_session(session_options options) override;

  /// What the network does between two steps of the node. `calm`: connections
  /// come back, and break no more.
  void step(bool calm);
  /// When a connection comes back; never = the largest time.
  std::chrono::nanoseconds next_due() const noexcept;

private:
  std::shared_ptr<embedded_coordination> base_;
  unsigned percent_;
  random_source& random_;
  const virtual_time& time_;
  std::int64_t session_ = 0;
  std::optional<std::chrono::nanoseconds> heals_at_;
};

} // namespace weir::sim
