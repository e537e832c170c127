// What to do about a task's claim: rules C1 to C5 and C8 as plain decisions.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "actors/base/znodes.hpp"

namespace weir {

/// "weir.<job>.": every producer id of a job starts with it (rule C8).
std::string producer_prefix(const std::string& job);

/// What a node knows when it looks at a claim.
struct claim_view {
  std::string job;
  /// The lane's current, initialised producer id (rules L2, C1).
  std::string own_id;
  /// Ids known to be fenced: once fenced, always fenced (rule C5).
  const std::set<std::string>* fenced = nullptr;
  /// The ids of this node's living lanes.
  const std::set<std::string>* living = nullptr;
  /// Names of the member nodes that exist.
  const std::set<std::string>* members = nullptr;
  process_identity self;
  /// Whether a process of our own process table still exists.
  bool (*process_exists)(void* context, const process_identity&) = nullptr;
  void* context = nullptr;
};

/// One step towards owning a claim, in the order of rule C1.
struct claim_decision {
  enum class step {
    /// The claim is this lane's already (C3).
    held,
    /// No claim: create it where S2 allows.
    create,
    /// Released, or its id is fenced: set it by version.
    take,
    /// Make `fence_id` unable to commit first.
    fence,
    /// The owner lives: `reason` names it. Look again when something changes.
    wait,
    /// The claim cannot be ours: foreign id or bad data (C8).
    refuse,
  };

  step what = step::wait;
  std::string fence_id;
  std::string reason;
};

/// Rules C3, H33: the claim names this process, and an id of which no lane of
/// it lives.
bool is_earlier_id_of_ours(const claim_node& claim, const claim_view& view);

/// `current` is the decoded claim, or nothing if the node is missing.
claim_decision decide_claim(const std::optional<claim_node>& current,
                            const claim_view& view);

/// The claim that this lane writes over `current`: own id, epoch + 1 (C1), and
/// not below `least_epoch` (C4).
claim_node next_claim(const std::optional<claim_node>& current,
                      const claim_view& view, const std::string& member,
                      const std::string& generation, int partitions,
                      std::uint64_t least_epoch);

/// Rule H18: whether the claim is held as `mine` says, by id and epoch. A
/// member of the same name proves nothing: another lane of it may have claimed
/// since.
bool is_still_held(const claim_node& read, const claim_node& mine);

/// Rule C3: after a write with unknown outcome, does what was read prove that
/// the write happened?
bool proves_claim(const claim_node& read, const claim_node& written);

} // namespace weir
