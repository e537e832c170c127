// Lets a task's claim go, in order or after a failure (rules C2, H17, H28).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "actors/base/back_off.hpp"
#include "actors/base/node_context.hpp"
#include "actors/failure/parked.hpp"
#include "actors/lane/messages.hpp"

namespace weir {

struct let_go_task {
  int partition = 0;
  /// Goes back with the answer, so that the lane tells answers apart.
  std::uint64_t attempt = 0;
  /// The lane's id in use; empty = none. A claim that names another one is of a
  /// life that failed: its last transaction may still be decided.
  std::string living_id;
  /// Why the task is parked; written before the release, so that nobody claims
  /// it without having seen it.
  std::shared_ptr<const parked_node> parked;
  /// The task has committed (rule S2).
  bool committed = false;
};

/// look ──> [fence the dead life's id] ──> [park] ──> release ──> `let_gone`
///
/// Owned by a lane. Every step is repeated until it is done (0.2 to 5 s); the
/// lane ends it when the session is over. Dying at any step leaves a claim of a
/// dead process, or a parked node beside one: the next owner fences and waits.
class let_go_actor final : public stepping_actor {
public:
  let_go_actor(caf::actor_config& config, std::shared_ptr<node_context> context,
               std::shared_ptr<membership_info> info, caf::actor lane,
               let_go_task what);

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void look();
  void decide(result<znode> node);
  bool is_ours(const claim_node& x) const;
  void fence();
  void park();
  /// An earlier stop that was decided about, or this one.
  void park_over(const znode& node);
  void write_parked(const parked_node& node,
                    std::optional<std::int32_t> version);
  void release();
  void retry(const error& why);
  void done();

  std::shared_ptr<node_context> context_;
  std::shared_ptr<membership_info> info_;
  caf::actor lane_;
  let_go_task what_;
  std::string path_;
  claim_node claim_;
  std::int32_t version_ = 0;
  /// Version of the claim, -1 = none, when it was first found not to be ours.
  std::optional<std::int32_t> free_since_;
  /// Cancelled when this ends.
  cancel_token token_ = cancel_token::below();
  bool fenced_ = false;
  bool parked_ = false;
  back_off pause_;
};

} // namespace weir
