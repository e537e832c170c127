// A lane: the tasks of a node that commit together through one producer. The
// checkpoint actor of the design.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "actors/base/back_off.hpp"
#include "actors/base/log_limit.hpp"
#include "actors/base/messages.hpp"
#include "actors/bring_up/messages.hpp"
#include "actors/claim/claim.hpp"
#include "actors/lane/commit_timing.hpp"
#include "actors/lane/lane_machine.hpp"
#include "actors/lane/let_go.hpp"
#include "actors/lane/messages.hpp"
#include "actors/task/messages.hpp"
#include "weir/task.hpp"

namespace weir {

struct lane_options {
  int index = 0;
  std::vector<int> partitions;
  milliseconds check_interval{100};
  /// Rule L8: a single task that has failed three times elsewhere.
  bool solo = false;
  /// Of tasks that come from another lane.
  std::map<int, task_history> histories;
};

/// Owns the producers, the bring-ups and the task actors of its partitions, and
/// does what `lane_machine` decides. Owned by the node.
///
/// A *life* lasts from a fresh producer id to the next failure (rule L3): then
/// every task ends, and the next life claims and restores them again. After a
/// crash the same happens in another process.
class lane_actor final : public stepping_actor {
public:
  lane_actor(caf::actor_config& config, std::shared_ptr<node_context> context,
             std::shared_ptr<membership_info> info, caf::actor node,
             task_factory factory, lane_options options);

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  struct hosted {
    caf::actor actor;
    /// Tells incarnations apart: that of the bring-up.
    std::uint64_t attempt = 0;
    claim_node claim;
    std::int32_t version = 0;
    /// A write of the claim is on its way; what is to be written after it.
    bool writing = false;
    std::deque<std::function<void()>> waiting;
    /// A commit has succeeded, of this incarnation or one restored (rule S2).
    bool committed = false;
    std::shared_ptr<const task_pulse> pulse;
    /// H28: carried out, and the parked node removed, once a commit has passed
    /// its record.
    std::shared_ptr<const parked_node> decision;
    std::int32_t decision_version = 0;
  };

  using machine = lane_machine;

  // -- ids and lives (lane_life.cpp)

  void perform(const machine::open_id& x);
  void perform(const machine::open_later& x);
  void perform(const machine::use_id& x);
  void perform(const machine::drop_id& x);
  void perform(const machine::limit_retiring& x);
  void perform(const machine::end& x);
  void id_opened(std::uint64_t id,
                 result<std::shared_ptr<lane_producers>>& opened);
  /// Blocking; on an executor.
  static result<std::shared_ptr<lane_producers>>
  open_producers(const std::shared_ptr<node_context>& context, std::string id,
                 milliseconds interval, std::shared_ptr<bound_producer> plain);
  std::string fresh_id();
  void retire(std::shared_ptr<lane_producers>& x);
  void fail_lane(const std::string& reason,
                 std::optional<machine::fate> whose = std::nullopt);
  /// Before, between and after those; whatever fails then is of no account.
  bool has_no_life() const noexcept;
  void say_failed(const std::string& reason);

  // -- the transaction (lane.cpp)

  void act(const machine::actions& todo);
  void perform(const machine::seal& x);
  void perform(const machine::commit& x);
  void perform(const machine::apply& x);
  void perform(const machine::begin& x);
  void perform(const machine::begun& x);
  /// Monotonic.
  std::int64_t now_ms() const {
    return context_->outside.world->steady_ns() / 1'000'000;
  }
  void tick(std::uint64_t timer);
  void start_timer();
  void hop_commit();
  void seal_answered(const machine::actions& todo);
  void watch_seal();
  void look_for_stuck();
  void on_applied(const task_applied& x);
  void note_slow_commit(std::uint64_t number);

  // -- tasks (lane_tasks.cpp)

  void perform(const machine::bring_up& x);
  void perform(const machine::bring_up_later& x);
  void perform(const machine::end_bring_up& x);
  void perform(const machine::end_task& x);
  void perform(const machine::let_go& x);
  void perform(const machine::end_let_go& x);
  void start_let_go(const let_go_task& what);
  void limit_let_go(int partition, std::uint64_t attempt);
  void on_let_gone(const let_gone& x);
  void perform(const machine::hand_on& x);
  /// A task whose constructor threw has no actor.
  template <class Message>
  void tell_tasks(const Message& x) {
    for (auto& [partition, task] : tasks_)
      if (task.actor)
        tell(task.actor, x);
  }
  void on_brought_up(const brought_up& x);
  void on_bring_up_waits(const bring_up_waits& x);
  void on_task_gone(const task_gone& x);

  // -- what stops them (lane_blame.cpp)

  static reaction react_to(failure_place where, ec what);
  void transaction_failed(const std::string& what, const error& why);
  void on_bring_up_failed(const bring_up_failed& x);
  void on_task_failed(const task_failed& x);
  void on_task_rejects(const task_rejects& x);
  void on_stuck(int partition, const task_pulse::call& x);
  void blame(const task_failed& x);
  bool note_suspect(const task_failed& x);
  void forget_blame(const task_applied& x);
  void park(int partition, parked_kind kind, const error& why,
            const std::optional<input_fault>& fault);

  // -- claims (lane_claims.cpp)

  void perform(const machine::move_claim& x);
  void watch_claim(int partition);
  void check_claim(int partition, result<znode> node);
  void mark_born(int partition);
  void settle_decision(int partition, const std::vector<std::int64_t>& at);
  /// Writes a hosted task's claim, then `then(ok)` if it is still hosted.
  void write_hosted(int partition, std::function<void(claim_node&)> change,
                    std::function<void(bool)> then);
  hosted* find(int partition, std::uint64_t attempt);

  std::shared_ptr<node_context> context_;
  std::shared_ptr<membership_info> info_;
  caf::actor node_;
  task_factory factory_;
  lane_options options_;
  std::shared_ptr<executor> committer_;
  std::int64_t last_commit_ms_;
  std::int64_t began_ms_ = 0;
  std::int64_t last_hop_commit_ms_ = INT64_MIN / 2;
  bool hop_commit_due_ = false;
  machine machine_;
  std::deque<machine::action> todo_;
  bool acting_ = false;
  /// In use, and, while the claims move (rule L4), the next one's.
  std::shared_ptr<lane_producers> producers_;
  std::shared_ptr<lane_producers> successor_;
  commit_timing timing_;
  std::map<int, hosted> tasks_;
  std::map<int, caf::actor> bring_ups_;
  struct let_go_child {
    caf::actor actor;
    let_go_task what;
  };
  std::map<int, let_go_child> let_gos_;
  log_limit let_go_lines_;
  /// Tasks that have committed and are in no incarnation now (rule S2).
  std::set<int> committed_;
  /// Why a task that leaves is to be parked (H28).
  std::map<int, std::shared_ptr<const parked_node>> parked_;
  std::map<int, blame_record> blame_;
  /// Before the next bring-up of a task that has to wait.
  std::map<int, bring_up_pause> pauses_;
  std::map<int, task_history> histories_;
  std::uint64_t timer_ = 0;
  std::uint64_t watched_seal_ = 0;
  int lives_failed_ = 0;
  /// Tasks whose last incarnation ended with something uncommitted, and that
  /// have committed nothing since: the exit code tells of it (H34).
  std::set<int> lost_;
};

} // namespace weir
