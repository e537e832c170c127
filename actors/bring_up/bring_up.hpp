// Brings one task up: claim, fence, restore (rules C1 to C6, R12).
#pragma once

#include "actors/base/back_off.hpp"
#include "actors/base/messages.hpp"
#include "actors/base/node_context.hpp"
#include "actors/bring_up/messages.hpp"
#include "actors/bring_up/task_restore.hpp"
#include "actors/claim/claim.hpp"
#include "actors/send/lane_producers.hpp"

namespace weir {

struct bring_up_task {
  int partition = 0;
  /// Goes back with every answer, so that the lane tells bring-ups apart.
  std::uint64_t attempt = 0;
  /// The lane's, initialised: the claim is set for their id.
  std::shared_ptr<lane_producers> producers;
  /// The local database is damaged: from the changelog (rule L7).
  bool damaged = false;
  /// The last commit did not fit on the disk: wait until so much does.
  std::size_t room = 0;
};

/// look ──> parked? ──> fence ──> look … ──> write ──> open, locate, read …
///   │         │                                              │
///   └── wait ─┘ (owner lives, undecided; watch)           confirm
///                                 brought_up <── finish <────┘
///
/// Owned by a lane; works for the lane's current producer id. Ends after
/// `brought_up` or `bring_up_failed`, at once if another takes the claim
/// (H18). Every transition
/// is a message of its own. Dying at any step leaves a claim that a later
/// bring-up resolves and a database that the next restore continues.
class bring_up_actor final : public stepping_actor {
public:
  bring_up_actor(caf::actor_config& config,
                 std::shared_ptr<node_context> context,
                 std::shared_ptr<membership_info> info, caf::actor lane,
                 bring_up_task what);

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  /// "znode '/chroot/weir/…'"
  std::string where(const std::string& path) const;
  void look();
  coordination::watcher watch_once(bool& watching);
  void decide(result<znode> node);
  void go_towards(const claim_decision& decision);
  void look_for_parked(std::function<void()> then);
  void wait(const std::string& reason,
            std::shared_ptr<const parked_node> parked = nullptr);
  void check_unborn();
  void look_for_claim(const error& missing);
  void make_sure_and_fence(const std::string& id);
  void fence(const std::string& id);
  void fence_answered(const std::string& id, const result<void>& outcome);
  void write(std::uint64_t least_epoch);
  void written(claim_node claim, result<std::int32_t> version);
  void restore();
  void read();
  void confirm();
  void finish();
  void settle();
  void open_inputs();
  void prepare_decision();
  void done();
  void session_failed(const error& why);
  void retry(const error& why);
  void give_up(failure_place where, const error& why);
  claim_view view();
  /// Runs one blocking step of the restore, then `next` unless it failed.
  template <class Step, class Next>
  void restore_step(executor& where, const char* name, Step step, Next next);

  std::shared_ptr<node_context> context_;
  std::shared_ptr<membership_info> info_;
  caf::actor lane_;
  int partition_;
  std::uint64_t attempt_;
  std::shared_ptr<lane_producers> producers_;
  std::string producer_id_;
  bool damaged_;
  std::size_t room_;
  std::string path_;
  /// Cancelled when this ends: its jobs are void.
  cancel_token token_;
  std::optional<claim_node> current_;
  std::int32_t version_ = 0;
  bool held_ = false;
  bool waiting_ = false;
  /// A watch of the claim is set.
  bool watching_ = false;
  bool watching_parked_ = false;
  /// The restore is at its end; what is left is to confirm the claim.
  bool restored_ = false;
  std::string last_reason_;
  back_off pause_;
  milliseconds blocked_{0};
  std::shared_ptr<task_restore> restore_;
  /// H28: decided; carried out by the task.
  std::shared_ptr<const parked_node> decision_;
  std::int32_t decision_version_ = 0;
  /// The id that was fenced for this task.
  std::set<std::string> fenced_;
  std::set<std::string> living_;
  std::set<std::string> members_;
};

} // namespace weir
