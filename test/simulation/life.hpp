// One life of the node's process, from its start to its end or crash.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/scheduler/test_coordinator.hpp>

#include "actors/node.hpp"
#include "runtime/embedded/database.hpp"
#include "test/simulation/machine.hpp"
#include "test/simulation/sim_executor.hpp"
#include "test/simulation/sim_network.hpp"

namespace weir::sim {

/// The opened systems of a process, without a node; also for the checker.
struct opened_systems {
  std::shared_ptr<outside_world> world;
  std::shared_ptr<environment> files;
  std::shared_ptr<embedded_database> database;
  std::shared_ptr<stream_system> streams;
};

result<opened_systems> open_systems(machine& on, int life);

/// The whole node under CAF's test scheduler, in one thread. A step is the
/// handling of one message by one actor, or one job of an executor; which of
/// those that could be next is next, the schedule's random numbers decide.
class life {
public:
  life(machine& on, int number);
  ~life();
  life(const life&) = delete;
  life& operator=(const life&) = delete;

  /// Opens the systems and spawns the node. Errors: of the databases; with a
  /// crash of the disk in between they mean that crash.
  result<void> start();
  /// One step; time passes in between, or jumps to where there is one. False:
  /// the process has ended.
  bool step();
  /// The process is gone: lets go of everything, without any effect.
  void crash();
  /// An orderly end. Errors: what is left behind that would keep the process
  /// from ending.
  result<void> end();

  const std::optional<node_report>& report() const noexcept { return report_; }
  /// Whether all input was there when the life began.
  bool saw_all_input() const noexcept { return saw_all_; }

private:
  struct source {
    topic_partition where;
    topic_ref topic;
    std::size_t next = 0;
  };

  result<void> start_feeding();
  bool is_feeding() const;
  result<void> feed(int records);
  void run_actor(std::size_t index);
  bool run_one();
  bool jump();
  void pass(std::chrono::nanoseconds time);
  std::shared_ptr<sim_executor>
  make_executor(std::string name, std::size_t width,
                std::function<std::chrono::nanoseconds()> delay = {});
  void kill_actors();
  void close();

  machine& on_;
  int number_;
  opened_systems systems_;
  std::vector<std::shared_ptr<sim_executor>> executors_;
  std::shared_ptr<sim_network> network_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  std::map<caf::actor_id, caf::actor_addr> seen_;
  caf::actor node_;
  std::optional<node_report> report_;
  std::unique_ptr<producer> feeder_;
  std::vector<source> sources_;
  std::chrono::nanoseconds next_feed_{0};
  bool saw_all_ = false;
};

} // namespace weir::sim
