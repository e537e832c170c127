// The connection between a simulated node and its coordination service.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/embedded/coordination/coordination.hpp"
#include "test/driver/virtual_time.hpp"
#include "test/simulation/planned_failures.hpp"

namespace weir::sim {

/// Sessions whose connections break, with a request or a reply on its way or
/// without, and come back; sometimes only after the session has expired. One
/// thread; owned by a node, whose process may be dead; what it refers to must
/// outlive it.
class sim_network final : public coordination_service {
public:
  using nanoseconds = std::chrono::nanoseconds;

  /// `percent`: chance of a fault after each step.
  sim_network(std::shared_ptr<embedded_coordination> base, unsigned percent,
              sim_random& random, const virtual_time& time,
              planned_failures& planned);

  std::string describe() const override;
  result<std::unique_ptr<coordination>>
  open_session(session_options options) override;

  /// What the network does between two steps of the node. `calm`: connections
  /// come back, and break no more.
  void step(bool calm);
  /// When something happens by itself; never = the largest time.
  nanoseconds next_due() const noexcept;
  /// Lets that happen whose time has come.
  void pass();

  /// There is no connection until then.
  void cut(nanoseconds until);
  /// The process stands still: its sessions end if that lasts too long.
  void pause();
  void resume() { ends_at_.reset(); }
  /// The process is dead: its sessions end when the service misses them.
  void die();

private:
  void break_by_chance();
  void heal_later();

  std::shared_ptr<embedded_coordination> base_;
  unsigned percent_;
  sim_random& random_;
  const virtual_time& time_;
  planned_failures& planned_;
  /// The last is the present one.
  std::vector<std::int64_t> sessions_;
  nanoseconds session_timeout_{0};
  std::optional<nanoseconds> heals_at_;
  /// When the service gives up a session whose connection is gone.
  std::optional<nanoseconds> overdue_at_;
  nanoseconds cut_until_{0};
  std::optional<nanoseconds> ends_at_;
};

} // namespace weir::sim
