// A lane's ids, its failures and its end (rules H11, H12, L3, L4).
#include <utility>

#include "actors/lane/lane_machine.hpp"
#include "runtime/base/assert.hpp"

namespace weir {

// -- ids

lane_machine::actions lane_machine::start() {
  WEIR_ASSERT(phase_ == phase::closed && serial_ == 0, "a lane starts once");
  actions out;
  open(out);
  return out;
}

void lane_machine::open(actions& out) {
  phase_ = phase::opening;
  out.push_back(open_id{++serial_});
}

lane_machine::actions lane_machine::open_due(std::uint64_t id) {
  actions out;
  if (phase_ == phase::closed && id == serial_ && goal_ == goal::run)
    open(out);
  return out;
}

lane_machine::actions lane_machine::id_opened(std::uint64_t id) {
  actions out;
  if (!awaits_id(id))
    return out;
  if (phase_ == phase::opening) {
    id_ = id;
    out.push_back(use_id{id});
    begin_next(out);
    return out;
  }
  fresh_ = true;
  for (auto& [partition, x] : tasks_)
    if (x.where == place::hosted && !x.last)
      move(out, partition, x);
  try_go_on(out);
  return out;
}

lane_machine::actions lane_machine::id_failed(std::uint64_t id) {
  actions out;
  if (!awaits_id(id))
    return out;
  if (phase_ == phase::retiring) {
    fail_with(out, std::nullopt);
    return out;
  }
  phase_ = phase::closed;
  out.push_back(open_later{++serial_});
  return out;
}

/// L4, H12: void, initialise, move, begin.
void lane_machine::retire(actions& out) {
  phase_ = phase::retiring;
  fresh_ = false;
  for (auto& [partition, x] : tasks_) {
    if (x.where != place::coming)
      continue;
    ++x.attempt;
    x.where = place::idle;
    out.push_back(end_bring_up{partition});
  }
  out.push_back(open_id{++serial_});
  out.push_back(limit_retiring{serial_});
}

void lane_machine::move(actions& out, int partition, task& x) {
  x.moving = true;
  out.push_back(move_claim{partition, serial_});
}

lane_machine::actions lane_machine::claim_moved(int partition, std::uint64_t id,
                                                bool done) {
  actions out;
  auto* x = find(partition);
  if (phase_ != phase::retiring || id != serial_ || x == nullptr ||
      x->where != place::hosted || !x->moving)
    return out;
  x->moving = false;
  if (done)
    x->claimed = id;
  // A claim that cannot be set is lost, and the task with it; its apply is
  // void. A later bring-up finds out whose it is.
  if (!done)
    leave_now(out, partition, *x, false);
  try_go_on(out);
  try_end(out);
  return out;
}

/// H12: the begin waits for every claim, and for the applies (L5).
void lane_machine::try_go_on(actions& out) {
  if (phase_ != phase::retiring || !fresh_)
    return;
  for (auto& [partition, x] : tasks_)
    if (x.where == place::hosted &&
        (x.moving || x.applying || x.claimed != serial_))
      return;
  auto old = std::exchange(id_, serial_);
  out.push_back(use_id{id_});
  out.push_back(drop_id{old});
  begin_next(out);
}

lane_machine::actions lane_machine::retire_due(std::uint64_t id) {
  actions out;
  if (phase_ == phase::retiring && id == serial_)
    fail_with(out, std::nullopt);
  return out;
}

// -- failures

lane_machine::actions lane_machine::fail(std::optional<fate> whose) {
  actions out;
  fail_with(out, whose);
  return out;
}

lane_machine::actions lane_machine::stuck(int partition, fate what) {
  actions out;
  auto* x = find(partition);
  if (x == nullptr || x->where != place::hosted)
    return out;
  x->stuck = true;
  fail_with(out, what);
  return out;
}

void lane_machine::fail_with(actions& out, std::optional<fate> whose) {
  // Closed and opening: there is nothing that could fail.
  if (phase_ == phase::closed || phase_ == phase::opening ||
      phase_ == phase::failing || phase_ == phase::ended)
    return;
  phase_ = phase::failing;
  commit_wanted_ = false;
  // What is on its way for the fresh id is void.
  ++serial_;
  if (auto* x = whose ? find(whose->partition) : nullptr) {
    x->later |= whose->later;
    if (x->leaving == departure::none)
      x->leaving = whose->leaves;
  }
  for (auto& [partition, x] : tasks_) {
    switch (x.where) {
    case place::coming:
      out.push_back(end_bring_up{partition});
      [[fallthrough]];
    case place::waiting:
      x.later |= x.where == place::waiting;
      ++x.attempt;
      x.where = place::idle;
      break;
    case place::hosted:
      leave_now(out, partition, x, false);
      break;
    case place::idle:
    case place::ending:
    case place::parting:
      break;
    }
  }
  try_close(out);
}

/// Every task of the life that failed has ended.
void lane_machine::try_close(actions& out) {
  if (phase_ != phase::failing)
    return;
  for (auto& [partition, x] : tasks_)
    if (x.where == place::ending && !x.stuck)
      return;
  out.push_back(drop_id{std::exchange(id_, 0)});
  phase_ = phase::closed;
  std::vector<int> leavers;
  for (auto& [partition, x] : tasks_)
    if (x.where == place::idle && x.leaving != departure::none)
      leavers.push_back(partition);
  for (auto partition : leavers)
    part(out, partition, tasks_.at(partition));
  if (goal_ == goal::run && !tasks_.empty())
    out.push_back(open_later{++serial_});
  try_end(out);
}

// -- the end

lane_machine::actions lane_machine::drain() {
  actions out;
  if (goal_ != goal::run || phase_ == phase::ended)
    return out;
  goal_ = goal::drain;
  // All before any: they have their last seal together.
  std::vector<int> all;
  for (auto& [partition, x] : tasks_) {
    all.push_back(partition);
    if (x.leaving == departure::none)
      x.leaving = departure::stop;
  }
  for (auto partition : all)
    depart(out, partition, departure::stop);
  try_end(out);
  return out;
}

lane_machine::actions lane_machine::drop() {
  actions out;
  if (goal_ == goal::drop || phase_ == phase::ended)
    return out;
  goal_ = goal::drop;
  fail_with(out, std::nullopt);
  std::erase_if(tasks_, [&](auto& each) {
    auto& [partition, x] = each;
    if (x.where == place::parting)
      out.push_back(end_let_go{partition});
    return x.where != place::ending;
  });
  try_end(out);
  return out;
}

/// Tasks whose code is not back are not waited for: the process ends them.
void lane_machine::try_end(actions& out) {
  for (auto& [partition, x] : tasks_)
    if (!x.stuck)
      return;
  if (goal_ == goal::run && !tasks_.empty())
    return;
  if (phase_ == phase::sealing || phase_ == phase::publishing ||
      phase_ == phase::failing || phase_ == phase::ended)
    return;
  if (id_ != 0)
    out.push_back(drop_id{std::exchange(id_, 0)});
  ++serial_;
  phase_ = phase::ended;
  out.push_back(end{});
}

} // namespace weir
