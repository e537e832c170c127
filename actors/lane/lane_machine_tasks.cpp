// How the tasks of a lane come and go (rules H13, H17).
#include <utility>

#include "actors/lane/lane_machine.hpp"
#include "runtime/base/assert.hpp"

namespace weir {

lane_machine::task* lane_machine::find(int partition) {
  auto i = tasks_.find(partition);
  return i == tasks_.end() ? nullptr : &i->second;
}

lane_machine::task* lane_machine::find(int partition, place where,
                                       std::uint64_t attempt) {
  auto* x = find(partition);
  return x != nullptr && x->where == where && x->attempt == attempt ? x
                                                                    : nullptr;
}

bool lane_machine::is_current(int partition, std::uint64_t attempt) const {
  auto i = tasks_.find(partition);
  return i != tasks_.end() && i->second.attempt == attempt &&
         (i->second.where == place::coming || i->second.where == place::parting);
}

bool lane_machine::hosts(int partition) const {
  auto i = tasks_.find(partition);
  return i != tasks_.end() && i->second.where == place::hosted;
}

std::vector<int> lane_machine::unsealed() const {
  std::vector<int> out;
  for (auto& [partition, x] : tasks_)
    if (phase_ == phase::sealing && x.in && !x.sealed)
      out.push_back(partition);
  return out;
}

// -- tasks come

lane_machine::actions lane_machine::add(int partition) {
  actions out;
  if (goal_ != goal::run || phase_ == phase::ended)
    return out;
  tasks_.try_emplace(partition);
  bring_up_idle(out);
  return out;
}

bool lane_machine::may_bring_up() const noexcept {
  return goal_ == goal::run &&
         (phase_ == phase::open || phase_ == phase::sealing ||
          phase_ == phase::publishing);
}

void lane_machine::bring_up_idle(actions& out) {
  if (!may_bring_up())
    return;
  for (auto& [partition, x] : tasks_)
    if (x.where == place::idle)
      bring_up_task(out, partition, x);
}

void lane_machine::bring_up_task(actions& out, int partition, task& x) {
  ++x.attempt;
  if (std::exchange(x.later, false)) {
    x.where = place::waiting;
    out.push_back(bring_up_later{partition, x.attempt});
    return;
  }
  x.where = place::coming;
  out.push_back(bring_up{partition, x.attempt});
}

lane_machine::actions lane_machine::bring_up_due(int partition,
                                                 std::uint64_t attempt) {
  actions out;
  auto* x = find(partition, place::waiting, attempt);
  if (x == nullptr)
    return out;
  x->where = place::idle;
  bring_up_idle(out);
  return out;
}

lane_machine::actions lane_machine::bring_up_failed(int partition,
                                                    std::uint64_t attempt) {
  actions out;
  auto* x = find(partition, place::coming, attempt);
  if (x == nullptr)
    return out;
  x->where = place::idle;
  x->later = true;
  bring_up_idle(out);
  return out;
}

lane_machine::actions lane_machine::joined(int partition, std::uint64_t attempt,
                                           bool first_commit) {
  WEIR_ASSERT(is_current(partition, attempt), "only a current bring-up joins");
  // H12: what was brought up for another id is void before the next one opens.
  WEIR_ASSERT(may_bring_up(), "no bring-up outlives its id");
  actions out;
  auto& x = tasks_.at(partition);
  auto attempts = x.attempt;
  x = {};
  x.where = place::hosted;
  x.attempt = attempts;
  x.claimed = id_;
  x.forced = first_commit;
  if (phase_ == phase::open) {
    x.in = true;
    out.push_back(begun{partition, number_});
    commit_wanted_ |= first_commit;
    try_seal(out);
  }
  return out;
}

// -- tasks go

/// Between two transactions, or after its last commit: it is in none.
void lane_machine::leave_now(actions& out, int partition, task& x, bool clean) {
  x.where = place::ending;
  x.in = x.applying = x.moving = x.last = false;
  out.push_back(end_task{partition, clean});
}

lane_machine::actions lane_machine::leave(int partition, departure why) {
  actions out;
  depart(out, partition, why);
  try_end(out);
  return out;
}

void lane_machine::depart(actions& out, int partition, departure why) {
  auto* x = find(partition);
  if (x == nullptr || phase_ == phase::ended)
    return;
  if (x->leaving == departure::none)
    x->leaving = why;
  switch (x->where) {
  case place::coming:
    out.push_back(end_bring_up{partition});
    [[fallthrough]];
  case place::idle:
  case place::waiting:
    return part(out, partition, *x);
  case place::hosted:
    break;
  case place::ending:
  case place::parting:
    return;
  }
  // Its last commit comes with the fresh id: what it has processed since the
  // seal would be lost otherwise.
  if (phase_ == phase::retiring)
    return;
  // It joined behind the seal: it is in no transaction yet.
  if (!x->in && !x->applying)
    return leave_now(out, partition, *x, true);
  commit_wanted_ = true;
  try_seal(out);
}

lane_machine::actions lane_machine::gone(int partition) {
  actions out;
  auto* x = find(partition);
  if (x == nullptr)
    return out;
  if (x->where == place::hosted) {
    // By itself: nobody told it to.
    x->where = place::idle;
    x->in = x->applying = x->moving = x->last = false;
    x->later = true;
    fail_with(out, std::nullopt);
    return out;
  }
  if (x->where != place::ending)
    return out;
  x->stuck = false;
  x->where = place::idle;
  if (goal_ == goal::drop) {
    tasks_.erase(partition);
  } else if (x->leaving != departure::none && phase_ != phase::failing) {
    part(out, partition, *x);
  } else if (phase_ != phase::failing) {
    x->later = true;
    bring_up_idle(out);
  }
  try_close(out);
  try_end(out);
  return out;
}

/// It is in no transaction and its database is closed.
void lane_machine::part(actions& out, int partition, task& x) {
  if (x.leaving == departure::own_lane) {
    out.push_back(hand_on{partition});
    tasks_.erase(partition);
    return;
  }
  ++x.attempt;
  x.where = place::parting;
  out.push_back(let_go{partition, x.attempt, x.leaving});
}

lane_machine::actions lane_machine::let_gone(int partition,
                                             std::uint64_t attempt) {
  actions out;
  auto* x = find(partition, place::parting, attempt);
  if (x == nullptr)
    return out;
  if (x->leaving == departure::park && goal_ == goal::run) {
    // Its next bring-up waits for the operator.
    x->where = place::idle;
    x->leaving = departure::none;
    bring_up_idle(out);
  } else {
    tasks_.erase(partition);
  }
  try_end(out);
  return out;
}

} // namespace weir
