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

#include "actors/base/commit_counts.hpp"
#include "actors/base/fence_book.hpp"
#include "actors/base/living_ids.hpp"
#include "actors/base/task_places.hpp"
#include "actors/base/task_pulse.hpp"
#include "actors/base/turn_ledger.hpp"
#include "actors/base/znodes.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/executor.hpp"
#include "runtime/base/log.hpp"
#include "runtime/coordination/coordination.hpp"
#include "runtime/job/memory_shares.hpp"
#include "runtime/job/settings.hpp"
#include "runtime/leveldb/environment.hpp"
#include "runtime/stream/stream.hpp"
#include "weir/job.hpp"

namespace weir {

/// Gets the actor's kind and the type of the message that it is about to handle
/// (a mangled name).
using handler_probe =
    std::function<void(const char* actor, const char* message)>;

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
  /// Of this process; null = the node is alone in it.
  std::shared_ptr<living_ids> living;
  /// Where the events of the node go; null = the process's log.
  node_log log;
  /// For tests: called before every handler of every actor, may throw.
  weir::handler_probe handler_probe;
};

/// What the node has learnt and several of its actors need. Thread-safe; every
/// answer is a copy.
class member_registry {
public:
  explicit member_registry(std::shared_ptr<living_ids> living)
      : living_(living ? std::move(living) : std::make_shared<living_ids>()),
        seen_ended_(living_->ended()) {}

  void set_members(std::set<std::string> x);
  std::set<std::string> members() const;
  /// The producer ids of the lanes that live: a claim of this process with any
  /// other is an earlier one of ours (rules C3, H33).
  living_ids& living() noexcept { return *living_; }
  /// A task waits for the end of this process.
  void wait_for(const process_identity& owner);
  /// Whether a process that is waited for has ended, or an id of this one,
  /// since the last call. Asks the process table only.
  bool owners_changed(outside_world& world);
  /// H28: an operator decided that a record goes to the dead letters, whatever
  /// `--on-bad-record` says: producers open their topic from now on.
  void want_dead_letters() noexcept { dead_letters_ = true; }
  bool wants_dead_letters() const noexcept { return dead_letters_; }

private:
  const std::shared_ptr<living_ids> living_;
  mutable std::mutex mutex_;
  std::set<std::string> members_;
  std::uint64_t seen_ended_ = 0;
  /// Those that lived when they were last looked at.
  std::vector<process_identity> owners_;
  std::atomic<bool> dead_letters_{false};
};

/// Of `--until-drained`: for each task the end of each input at the start.
using drain_targets = std::map<int, std::vector<std::int64_t>>;

/// Shared by the node's actors; fixed for the node's life but for `members`,
/// `places`, `turns`, `pulses`, `counts`, the tokens and, until the first lane
/// starts, `targets`, `memory` and `fence`.
struct node_context {
  node_context(outside_systems outside, weir::job job, weir::settings settings,
               process_identity self)
      : outside(std::move(outside)), job(std::move(job)),
        settings(with_hops(std::move(settings), this->job)),
        self(std::move(self)), memory(share_memory(this->settings, 1, 1)),
        members(this->outside.living), turns(this->settings.threads) {}

  /// What is emitted to an internal topic waits for the commit (T41).
  static weir::settings with_hops(weir::settings how, const weir::job& of) {
    if (!of.internals().empty() && !how.check_interval)
      how.check_interval = milliseconds{100};
    return how;
  }

  /// Lets go of something whose destructor may block.
  void discard(std::shared_ptr<void> x) const;

  outside_systems outside;
  weir::job job;
  weir::settings settings;
  process_identity self;
  memory_shares memory;
  /// A record that changes a key of another partition's fails its task; for
  /// tests of applications. Set before the first lane.
  bool refuses_foreign_keys = false;
  drain_targets targets;
  /// Makes the producer with this id unable to commit (rule H33). Thread-safe;
  /// `answer` runs on any thread. Set by the node before its first lane.
  std::function<void(std::string id, cancel_token, fence_answer answer)> fence;
  /// Cancelled when the stop begins: nobody wants to know any more.
  cancel_token stopping = cancel_token::below();
  /// Cancelled when the stop does not wait for commits any longer.
  cancel_token giving_up = cancel_token::below();
  member_registry members;
  /// Set by the lanes.
  task_places places;
  /// Whose records are processed next.
  turn_ledger turns;
  pulse_board pulses;
  commit_counts counts;
};

/// One life of the node in the coordination service.
struct membership_info {
  std::shared_ptr<coordination> session;
  /// Name of the member node.
  std::string member;
  job_node job;
};

} // namespace weir
