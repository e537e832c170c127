// One life of one node's process: a context of its own beside others (H42).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/node/node.hpp"
#include "runtime/embedded/coordination/coordination.hpp"
#include "test/driver/sim_executor.hpp"
#include "test/driver/sim_scheduler.hpp"
#include "test/simulation/claim_history.hpp"
#include "test/simulation/machine.hpp"
#include "test/simulation/node_world.hpp"
#include "test/simulation/sim_network.hpp"

namespace weir::sim {

/// What the nodes of a life share: the "servers".
struct sim_servers {
  std::shared_ptr<stream_system> streams;
  std::shared_ptr<embedded_coordination> coordination;
  std::shared_ptr<claim_history> claims;
  /// Steps of the coordination service, and requests that arrive late.
  std::vector<std::shared_ptr<sim_executor>> executors;
  std::shared_ptr<sim_executor> late;
};

/// Owned by a life, which outlives what the node leaves behind. One thread.
class sim_node {
public:
  using nanoseconds = std::chrono::nanoseconds;

  sim_node(machine& on, const sim_servers& servers, sim_scheduler& scheduler,
           int number);
  sim_node(const sim_node&) = delete;
  sim_node& operator=(const sim_node&) = delete;
  ~sim_node();

  /// Spawns the node actor, with this code in its tasks.
  void start(task_factory factory);

  int number() const noexcept { return number_; }
  node_world& world() noexcept { return *world_; }
  bool is_dead() const noexcept { return dead_; }
  /// Neither dead nor standing still.
  bool may_run() const noexcept { return !dead_ && !wakes_at_; }
  const std::optional<node_report>& report() const noexcept { return report_; }

  /// Executors may be added while their jobs run: by index.
  const std::vector<std::shared_ptr<sim_executor>>& executors() const noexcept {
    return executors_;
  }
  sim_network& network() noexcept { return *network_; }

  /// When something that is not a job or a timer happens; never = the largest
  /// time.
  nanoseconds next_due() const;
  /// Lets that happen whose time has come.
  void pass();

  void pause(nanoseconds until);
  void fill_disk(std::optional<nanoseconds> until);
  /// The process is gone: lets go of everything, without any effect. The disk
  /// has crashed before, so that nothing of the rest has an effect.
  void crash();
  /// Lets the node actor end when it has nothing to do any more.
  void let_go() { node_ = nullptr; }
  /// The last jobs of an orderly end.
  void stop_executors();
  /// Nobody answers any more.
  void close();

private:
  std::shared_ptr<sim_executor> make_executor(std::string name,
                                              std::size_t width);

  machine& on_;
  sim_scheduler& scheduler_;
  int number_;
  std::int64_t pid_;
  std::shared_ptr<node_world> world_;
  std::shared_ptr<stream_setup> streams_;
  std::shared_ptr<sim_network> network_;
  std::vector<std::shared_ptr<sim_executor>> executors_;
  caf::actor node_;
  std::optional<node_report> report_;
  std::optional<nanoseconds> wakes_at_;
  std::optional<nanoseconds> has_room_at_;
  bool dead_ = false;
};

} // namespace weir::sim
