// A lane: the tasks of a node that commit together through one producer. The
// checkpoint actor of the design.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "actors/claim.hpp"
#include "actors/lane_machine.hpp"
#include "actors/messages.hpp"
#include "actors/task.hpp"

namespace weir {

struct lane_options {
  int index = 0;
  std::vector<int> partitions;
  milliseconds check_interval{100};
  /// Rule L8: a single task that has failed three times elsewhere.
  bool solo = false;
};

/// Owns the producers, the bring-ups and the task actors of its partitions, and
/// runs the transaction loop (`lane_machine`) on them. Owned by the node.
///
/// A *life* lasts from a fresh producer id to the next failure (rule L3): then
/// every task ends, the id is retired, and the next life claims and restores
/// them again. After a crash the same happens in another process.
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
    claim_node claim;
    std::int32_t version = 0;
    /// A write of the claim is on its way.
    bool writing = false;
    /// A commit has succeeded, of this incarnation or one restored (rule S2).
    bool committed = false;
    /// Its actor has ended and its database is closed.
    bool gone = false;
  };

  struct started_bring_up {
    caf::actor actor;
    std::uint64_t attempt;
  };

  // -- lives (lane_life.cpp)

  void open_life();
  void life_opened(std::shared_ptr<lane_producers> producers);
  void give_up(const std::string& reason, std::optional<int> culprit);
  void end_tasks(bool clean);
  void on_task_gone(const task_gone& x);
  void all_gone();
  void blame(int partition, const std::string& reason);
  void bring_up(int partition);
  void bring_up_later(int partition, milliseconds pause);
  void end_bring_ups();
  void drop_producers();
  void retire(std::shared_ptr<lane_producers>& x);
  void finish();
  /// Blocking.
  static result<std::shared_ptr<lane_producers>>
  open_producers(const std::shared_ptr<node_context>& context, std::string id,
                 milliseconds interval, std::shared_ptr<bound_producer> plain);
  std::string fresh_id();

  // -- the transaction (lane.cpp)

  void act(const lane_machine::actions& todo);
  void perform(const lane_machine::seal& x);
  void perform(const lane_machine::commit& x);
  void perform(const lane_machine::apply& x);
  void perform(const lane_machine::begin& x);
  void perform(const lane_machine::begun& x);
  void perform(const lane_machine::retire_id&);
  void perform(const lane_machine::give_up& x);
  void perform(const lane_machine::stopped&);
  void tick(std::uint64_t timer);
  void start_timer();
  /// False: of a bring-up that was ended meanwhile.
  bool is_current(int partition, std::uint64_t attempt) const;
  void on_brought_up(const brought_up& x);
  void on_constructor_threw(const brought_up& x, const std::string& what);
  void on_bring_up_failed(const bring_up_failed& x);
  void on_task_failed(const task_failed& x);
  void on_applied(const task_applied& x);
  void fail_lane(std::string reason, std::optional<int> culprit);

  // -- claims (lane_claims.cpp)

  void watch_claim(int partition);
  void check_claim(int partition, result<znode> node);
  void mark_born(int partition);
  void retire_current_id();
  void claim_again();
  void release_claims();
  /// Writes a hosted task's claim, then `then(ok)` in this life.
  void write_hosted(int partition, claim_node claim,
                    std::function<void(bool)> then);

  std::shared_ptr<node_context> context_;
  std::shared_ptr<membership_info> info_;
  caf::actor node_;
  task_factory factory_;
  lane_options options_;
  std::shared_ptr<executor> committer_;
  std::int64_t last_commit_ms_;
  lane_machine machine_;
  std::shared_ptr<lane_producers> producers_;
  /// While the claims move from a retired id to this one (rule L4).
  std::shared_ptr<lane_producers> successor_;
  std::map<int, hosted> tasks_;
  std::map<int, started_bring_up> bring_ups_;
  std::uint64_t next_attempt_ = 1;
  std::map<int, int> failures_;
  /// Tasks whose databases cannot be read (rule L7).
  std::set<int> damaged_;
  /// Answers of an earlier life are void.
  std::uint64_t life_ = 0;
  std::uint64_t timer_ = 0;
  int lives_failed_ = 0;
  bool ending_ = false;
  /// The life that ends has committed and applied everything.
  bool ends_clean_ = false;
  /// The claims of that life are being released (rule C2).
  bool releasing_ = false;
  bool stopping_ = false;
  /// The session has ended: no claim can be written any more.
  bool dropped_ = false;
  bool finished_ = false;
  std::size_t pending_ = 0;
};

} // namespace weir
