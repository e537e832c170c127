// What every actor of a node shares: the outside, the job, its settings.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "actors/task_pulse.hpp"
#include "actors/turn_ledger.hpp"
#include "actors/znodes.hpp"
#include "runtime/clock.hpp"
#include "runtime/coordination.hpp"
#include "runtime/executor.hpp"
#include "runtime/job.hpp"
#include "runtime/memory_shares.hpp"
#include "runtime/settings.hpp"
#include "runtime/stream.hpp"
#include "stores/environment.hpp"

namespace weir {

/// Everything outside of the process; real or simulated.
struct outside_systems {
  std::shared_ptr<outside_world> world;
  std::shared_ptr<stream_system> streams;
  std::shared_ptr<coordination_service> coordination;
  /// For blocking calls other than a commit.
  executors run;
  /// One thread for each lane: its commits.
  std::function<std::shared_ptr<executor>(std::string name)> make_executor;
  /// Where the tasks' databases live.
  std::shared_ptr<environment> files;
};

/// What the node has learnt and several of its actors need. Thread-safe; every
/// answer is a copy.
class node_knowledge {
public:
  void set_members(std::set<std::string> x);
  std::set<std::string> members() const;
  /// Rule C5: an id once fenced stays fenced.
  void add_fenced(const std::string& id);
  std::set<std::string> fenced() const;
  /// Ids of finished lanes of this node (rule C3).
  void add_retired(const std::string& id);
  std::set<std::string> retired() const;
  /// H28: an operator decided that a record goes to the dead letters, whatever
  /// `--on-bad-record` says: producers open their topic from now on.
  void want_dead_letters() noexcept { dead_letters_ = true; }
  bool wants_dead_letters() const noexcept { return dead_letters_; }

private:
  mutable std::mutex mutex_;
  std::set<std::string> members_;
  std::set<std::string> fenced_;
  std::set<std::string> retired_;
  std::atomic<bool> dead_letters_{false};
};

/// Of `--until-drained`: for each task the end of each input at the start.
using drain_targets = std::map<int, std::vector<std::int64_t>>;

/// Shared by the node's actors; fixed for the node's life but for `knowledge`,
/// `turns`, `pulses` and, until the first lane starts, `targets` and `memory`.
struct node_context {
  node_context(outside_systems outside, weir::job job, weir::settings settings,
               process_identity self)
      : outside(std::move(outside)), job(std::move(job)),
        settings(std::move(settings)), self(std::move(self)),
        memory(share_memory(this->settings, 1, 1)),
        turns(this->settings.threads) {}

  /// Lets go of something whose destructor may block.
  void discard(std::shared_ptr<void> x) const;

  outside_systems outside;
  weir::job job;
  weir::settings settings;
  process_identity self;
  memory_shares memory;
  drain_targets targets;
  node_knowledge knowledge;
  /// Whose records are processed next.
  turn_ledger turns;
  pulse_board pulses;
};

/// One life of the node in the coordination service.
struct membership_info {
  std::shared_ptr<coordination> session;
  /// Name of the member node.
  std::string member;
  job_node job;
};

} // namespace weir
