// CAF's test scheduler, with steps of the simulation's choice.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/scheduler/test_coordinator.hpp>

#include "actors/base/caf.hpp"
#include "test/driver/virtual_time.hpp"

namespace weir::sim {

/// The actors of all nodes, in one actor system and one thread. It knows whose
/// actor each is: who spawns one passes its node on.
class sim_scheduler {
public:
  /// Belongs to no node.
  static constexpr int nobody = -1;

  /// `throughput`: messages that an actor handles in one step, at most.
  sim_scheduler(const virtual_time& time, std::size_t throughput);
  ~sim_scheduler();

  caf::actor_system& system() noexcept { return *system_; }

  /// What is spawned from here on is `node`'s.
  void enter(int node);
  /// Remembers an actor that was spawned from outside.
  void adopt(const caf::actor& spawned);

  /// Indices of the actors that could be next, of nodes that `may_run`.
  template <class MayRun>
  const std::vector<std::size_t>& runnable(MayRun may_run) {
    choices_.clear();
    for (std::size_t i = 0; i < scheduler_->jobs.size(); ++i)
      if (may_run(owner(i)))
        choices_.push_back(i);
    return choices_;
  }
  int owner(std::size_t job) const;
  /// "actor 17 weir::seal_request": who is about to handle what.
  std::string describe(std::size_t job) const;
  void run(std::size_t job);
  /// False: this actor has nothing to do.
  bool run_actor(caf::actor_id id);

  /// Time has passed: timers fire.
  void look_at_the_clock();
  std::chrono::nanoseconds next_due() const;
  void cancel_timers();

  /// Ends all actors of a node without any effect. @pre what they could have an
  /// effect on is dead already.
  void kill(int node);
  void kill_all();
  std::size_t actors() const;

private:
  void settle();
  void kill_actors(bool all, int node);

  const virtual_time& time_;
  std::size_t throughput_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  int node_ = nobody;
  /// By id.
  std::vector<int> owners_;
  std::map<caf::actor_id, caf::actor_addr> seen_;
  std::vector<std::size_t> choices_;
};

} // namespace weir::sim
