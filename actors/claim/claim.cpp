#include "actors/claim/claim.hpp"

#include <algorithm>

namespace weir {

namespace {

bool contains(const std::set<std::string>* set, const std::string& x) {
  return set != nullptr && set->count(x) > 0;
}

/// Rule C5: dead for certain. A member node that exists proves nothing for a
/// process that was killed: its session lasts a while. The process table that
/// it was in does.
bool owner_is_dead(const claim_node& claim, const claim_view& view) {
  if (!contains(view.members, claim.member))
    return true;
  return shares_process_table(claim.process, view.self) &&
         !view.process_exists(view.context, claim.process);
}

} // namespace

std::string producer_prefix(const std::string& job) {
  return "weir." + job + ".";
}

bool is_earlier_id_of_ours(const claim_node& claim, const claim_view& view) {
  return claim.process == view.self && claim.producer_id != view.own_id &&
         !contains(view.living, claim.producer_id);
}

claim_decision decide_claim(const std::optional<claim_node>& current,
                            const claim_view& view) {
  using step = claim_decision::step;
  if (!current)
    return {step::create, {}, {}};
  auto& claim = *current;
  if (!claim.released && claim.producer_id == view.own_id)
    return {step::held, {}, {}};
  // C8: a hostile or mistaken claim must not make us fence another job.
  if (!claim.producer_id.empty() &&
      !claim.producer_id.starts_with(producer_prefix(view.job)))
    return {step::refuse,
            {},
            "the claim names producer id '" + claim.producer_id +
                "', which is not of job '" + view.job + "'"};
  if (claim.released || claim.producer_id.empty() ||
      contains(view.fenced, claim.producer_id))
    return {step::take, {}, {}};
  // C3: never the own current id (handled above), always the own earlier ones.
  if (is_earlier_id_of_ours(claim, view) || owner_is_dead(claim, view))
    return {step::fence, claim.producer_id, {}};
  return {step::wait,
          {},
          "held by " + to_string(claim.process) + " (member " + claim.member +
              ")"};
}

claim_node next_claim(const std::optional<claim_node>& current,
                      const claim_view& view, const std::string& member,
                      const std::string& generation, int partitions,
                      std::uint64_t least_epoch) {
  claim_node out;
  if (current) {
    out.epoch = current->epoch;
    out.born = current->born;
    out.floor = current->floor;
    out.empty_below = current->empty_below;
    out.commits_above = current->commits_above;
  }
  out.epoch = std::max(out.epoch + 1, least_epoch);
  out.producer_id = view.own_id;
  out.generation = generation;
  out.partitions = partitions;
  out.member = member;
  out.process = view.self;
  return out;
}

bool is_still_held(const claim_node& read, const claim_node& mine) {
  return !read.released && read.producer_id == mine.producer_id &&
         read.epoch == mine.epoch;
}

bool proves_claim(const claim_node& read, const claim_node& written) {
  return read.producer_id == written.producer_id &&
         read.epoch == written.epoch && read.released == written.released &&
         read.born == written.born;
}

} // namespace weir
