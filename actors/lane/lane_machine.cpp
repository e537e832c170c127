// The transaction: seal, publish, apply (rules L1, L5, R3).
#include "actors/lane/lane_machine.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/assert.hpp"

namespace weir {

void lane_machine::begin_next(actions& out) {
  phase_ = phase::open;
  ++number_;
  out.push_back(begin{number_});
  for (auto& [partition, x] : tasks_) {
    if (x.where != place::hosted || x.last)
      continue;
    // H11: what makes a fence of the named id a fence of this transaction.
    WEIR_ASSERT(x.claimed == id_,
                "a task's acknowledged claim names its lane's id at a begin");
    x.in = true;
    out.push_back(begun{partition, number_});
    commit_wanted_ |= x.forced || x.leaving != departure::none;
  }
  bring_up_idle(out);
  try_seal(out);
}

lane_machine::actions lane_machine::want_commit() {
  actions out;
  if (phase_ == phase::failing || phase_ == phase::ended)
    return out;
  commit_wanted_ = true;
  try_seal(out);
  return out;
}

lane_machine::actions lane_machine::heartbeat() {
  for (auto& [partition, x] : tasks_)
    if (x.where == place::hosted)
      x.forced = true;
  return want_commit();
}

bool lane_machine::is_applying() const {
  return std::any_of(tasks_.begin(), tasks_.end(), [](auto& each) {
    return each.second.where == place::hosted && each.second.applying;
  });
}

void lane_machine::try_seal(actions& out) {
  // L5: seal n+1 waits for apply n, so that one frozen overlay exists.
  if (phase_ != phase::open || !commit_wanted_ || is_applying())
    return;
  commit_wanted_ = false;
  phase_ = phase::sealing;
  for (auto& [partition, x] : tasks_) {
    if (!x.in)
      continue;
    x.sealed = x.empty = x.acknowledged = false;
    x.last = x.leaving != departure::none;
    out.push_back(seal{partition, number_, x.forced, x.last});
  }
  try_publish(out);
}

lane_machine::actions lane_machine::sealed(int partition, std::uint64_t number,
                                           bool empty) {
  actions out;
  auto* x = find(partition);
  if (phase_ != phase::sealing || number != number_ || x == nullptr || !x->in)
    return out;
  x->sealed = true;
  x->empty = empty;
  try_publish(out);
  return out;
}

lane_machine::actions lane_machine::outputs_acknowledged(int partition,
                                                         std::uint64_t number) {
  actions out;
  auto* x = find(partition);
  if (phase_ != phase::sealing || number != number_ || x == nullptr || !x->in)
    return out;
  x->acknowledged = true;
  try_publish(out);
  return out;
}

void lane_machine::try_publish(actions& out) {
  bool all_empty = true;
  for (auto& [partition, x] : tasks_) {
    if (!x.in)
      continue;
    if (!x.sealed)
      return;
    // L1: the transaction ends only when every output is acknowledged.
    if (at_least_once && !x.empty && !x.acknowledged)
      return;
    all_empty &= x.empty;
  }
  if (all_empty)
    return finish_empty(out);
  phase_ = phase::publishing;
  out.push_back(commit{number_});
}

/// Nothing to commit: the same transaction goes on, and leavers have left.
void lane_machine::finish_empty(actions& out) {
  phase_ = phase::open;
  for (auto& [partition, x] : tasks_) {
    if (x.where != place::hosted)
      continue;
    if (x.last) {
      leave_now(out, partition, x, true);
      continue;
    }
    WEIR_ASSERT(x.claimed == id_,
                "a task's acknowledged claim names its lane's id");
    x.in = true;
    out.push_back(begun{partition, number_});
    commit_wanted_ |= x.forced || x.leaving != departure::none;
  }
  bring_up_idle(out);
  try_end(out);
  try_seal(out);
}

lane_machine::actions lane_machine::committed(std::uint64_t number,
                                              bool doubt) {
  actions out;
  if (phase_ != phase::publishing || number != number_)
    return out;
  for (auto& [partition, x] : tasks_) {
    if (!std::exchange(x.in, false))
      continue;
    x.forced = false;
    if (!x.empty) {
      x.applying = true;
      out.push_back(apply{partition, number});
    } else if (x.last) {
      leave_now(out, partition, x, true);
    }
  }
  if (doubt)
    retire(out);
  else
    begin_next(out);
  try_end(out);
  return out;
}

lane_machine::actions lane_machine::applied(int partition,
                                            std::uint64_t number) {
  actions out;
  auto* x = find(partition);
  // The next transaction may have begun meanwhile; number names the applied.
  if (x == nullptr || x->where != place::hosted || !x->applying ||
      number > number_)
    return out;
  x->applying = false;
  if (x->last)
    leave_now(out, partition, *x, true);
  if (phase_ == phase::retiring)
    try_go_on(out);
  try_end(out);
  try_seal(out);
  return out;
}

std::string lane_machine::text() const {
  std::string out = to_string(phase_);
  out += " goal " + std::to_string(static_cast<int>(goal_));
  out += fresh_ ? " fresh" : "";
  out += commit_wanted_ ? " wanted" : "";
  for (auto& [partition, x] : tasks_) {
    out += " | " + std::to_string(partition) + ":" +
           std::to_string(static_cast<int>(x.where)) + "/" +
           std::to_string(static_cast<int>(x.leaving));
    out += x.claimed == id_ ? " own" : x.claimed == serial_ ? " next" : "";
    const std::pair<bool, const char*> flags[] = {
        {x.later, "w"},  {x.in, "i"},    {x.forced, "f"},
        {x.sealed, "s"}, {x.empty, "e"}, {x.acknowledged, "k"},
        {x.applying, "a"}, {x.last, "l"}, {x.moving, "m"},
        {x.stuck, "u"}};
    for (auto& [set, letter] : flags)
      out += set ? letter : "";
  }
  return out;
}

const char* to_string(lane_machine::phase x) noexcept {
  switch (x) {
  case lane_machine::phase::closed:
    return "closed";
  case lane_machine::phase::opening:
    return "opening";
  case lane_machine::phase::open:
    return "open";
  case lane_machine::phase::sealing:
    return "sealing";
  case lane_machine::phase::publishing:
    return "publishing";
  case lane_machine::phase::retiring:
    return "retiring";
  case lane_machine::phase::failing:
    return "failing";
  case lane_machine::phase::ended:
    return "ended";
  }
  return "?";
}

} // namespace weir
