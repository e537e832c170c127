// The node: the root of a process's actors.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>

#include "actors/base/messages.hpp"
#include "actors/bring_up/stalled_inputs.hpp"
#include "actors/lane/messages.hpp"
#include "actors/membership/messages.hpp"
#include "runtime/base/free_memory.hpp"
#include "weir/node_status.hpp"
#include "weir/task.hpp"

namespace weir {

/// Exit code of a job that ends with this task parked.
node_outcome outcome_of(const parked_node& why);

/// For a progress line.
struct node_progress {
  std::uint64_t records = 0;
  int running = 0;
  int tasks = 0;
  /// What the tasks that do not run wait for.
  std::map<int, std::string> waiting;
  /// Why tasks are parked (H28).
  std::map<int, std::string> parked;
  /// Calls of the tasks' code that are not back after a second.
  std::map<int, std::string> in_call;
};

struct node_options {
  task_factory factory;
  /// On the actor's thread, about twice a second.
  std::function<void(const node_progress&)> on_progress;
  /// On the actor's thread, when the node has become quiet after work: the time
  /// to give memory back.
  std::function<void()> on_idle;
  /// While it stops, each time less is left: what it waits for.
  std::function<void(const std::string& left)> on_stopping;
  /// Once, when it is a member of the job: how many tasks that has.
  std::function<void(int partitions)> on_joined;
  /// Once, when the node has ended.
  std::function<void(const node_report&)> on_end;
};

/// Stop in order: commit, release, leave.
struct stop_node {
  std::string reason;
};

/// Until what is in the inputs now is committed, and what it leads to.
struct drain_node {
  /// On the node's thread. Errors: `task_failed`, `closed`, of the stream
  /// system.
  std::function<void(result<void>)> done;
  /// Cancelled: nobody waits any more.
  cancel_token token;
};

struct ask_status {
  /// On the node's thread.
  std::function<void(node_status)> answer;
};

/// Prepares the topics, joins, runs the lanes, follows the live settings, and
/// ends in order and in time (rule H34). Spawned by `run` and by the
/// simulation. A lost session ends every lane without a commit and joins again
/// under a new identity.
class node_actor final : public stepping_actor {
public:
  node_actor(caf::actor_config& config, std::shared_ptr<node_context> context,
             node_options options);

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  struct lane_state {
    caf::actor actor;
    std::vector<int> partitions;
    bool solo = false;
  };
  /// What is to be committed.
  struct drain_goal {
    drain_targets ends;
    std::function<void(result<void>)> done;
    cancel_token token;
    /// Tasks of other processes that are there.
    std::set<int> elsewhere{};
    bool looking_at_hops = false;
  };
  struct task_progress_state {
    std::vector<std::int64_t> positions;
    /// The same, when the inputs were last looked at.
    std::vector<std::int64_t> looked_at;
    bool running = false;
    bool restoring = false;
    bool held_elsewhere = false;
    std::string waiting;
    std::shared_ptr<const parked_node> parked;
  };

  // -- supervision (node_children.cpp)

  void start_fencer();
  void lane_died(int index, const std::string& why);
  void membership_died(const std::string& why);
  void died();
  /// Rule H31: three deaths in a minute are the node's.
  bool is_third_death();
  void owners_tick();

  void prepare();
  void take_targets();
  void join(bool patient);
  void on_joined(const joined& x);
  void start_lanes();
  void start_lane(std::vector<int> partitions, bool solo,
                  std::map<int, task_history> histories = {});
  void on_session_lost(const session_lost& x);
  void membership_gone();
  void on_live_settings(const live_settings& x);
  void on_waiting(const task_waiting& x);
  void on_parked(int partition, std::shared_ptr<const parked_node> why);
  void on_task_suspect(const task_suspect& x);
  void on_progress(const task_progress& x);
  void on_lane_stopped(const lane_stopped& x);
  void stop(node_outcome outcome, const std::string& text,
            ec cause = ec::task_failed);
  void stop(const error& why);
  void stop_lanes();
  void give_up_commits();
  void give_up_lanes();
  std::string left_lanes() const;
  void show_left();
  void lanes_gone();
  void leave();
  void positions_named();
  void end_if_left();
  void take_counts();
  void end();
  void check_cluster();
  void sync_tick(std::uint64_t timer);
  // (node_hops.cpp)
  void trim_hops();
  void start_sync_timer();
  void progress_tick();
  void release_memory_of_all();
  void group_tick();
  void commit_group(std::function<void()> then);
  void look_at_others();
  // (node_inputs.cpp)
  void look_at_inputs();
  std::vector<int> quiet_tasks();
  void on_counts(const std::vector<cluster_finding>& grown);
  void tell_of_stalls(const std::vector<partition_ends>& ends);
  // (node_drain.cpp)
  void find_ends(std::function<void(result<drain_targets>&)> then);
  void start_drain(drain_node what);
  void add_goal(drain_targets ends, std::function<void(result<void>)> done,
                cancel_token token);
  bool is_drained(const drain_goal& goal) const;
  void check_drained();
  std::map<int, std::vector<std::int64_t>> hop_positions() const;
  void look_at_hops(const std::shared_ptr<drain_goal>& goal);
  void reach(const std::shared_ptr<drain_goal>& goal, result<void> how);
  void close_goals();
  const parked_node* first_parked(int& partition) const;
  void finish_drained();
  task_status status_of(int partition, const task_progress_state& task) const;
  node_status status() const;

  std::shared_ptr<node_context> context_;
  node_options options_;
  int partitions_ = 0;
  caf::actor membership_;
  caf::actor fencer_;
  std::shared_ptr<membership_info> info_;
  std::map<int, lane_state> lanes_;
  int next_lane_ = 0;
  std::map<int, task_progress_state> tasks_;
  std::vector<std::shared_ptr<drain_goal>> goals_;
  /// As membership told them last.
  config_node live_;
  milliseconds check_interval_{100};
  milliseconds sync_interval_{300'000};
  std::uint64_t sync_timer_ = 0;
  /// R11: an input has grown; no lane runs.
  bool paused_ = false;
  std::size_t next_look_ = 0;
  stalled_inputs stalls_;
  bool started_ = false;
  bool stopping_ = false;
  bool rejoining_ = false;
  bool leaving_ = false;
  /// To the consumer group, the last time.
  bool naming_positions_ = false;
  bool ended_ = false;
  /// As committed at the last T_s.
  std::map<int, std::vector<std::int64_t>> trim_below_;
  bool trimming_ = false;
  bool committing_group_ = false;
  bool looking_at_others_ = false;
  bool cluster_checked_ = false;
  /// Of the commits of group offsets.
  cancel_token group_token_ = cancel_token::below();
  /// When an actor of the node died last.
  std::deque<caf::actor_clock::time_point> deaths_;
  node_report report_;
  idle_watch idle_;
};

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::stop_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::drain_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::ask_status)
