// Ids and tasks of a lane: how they come and go (rules H11 to H13, H17, L3).
#include <algorithm>
#include <utility>

#include "actors/lane_machine.hpp"
#include "runtime/assert.hpp"

namespace weir {

lane_machine::task* lane_machine::find(int partition) {
  auto i = tasks_.find(partition);
  return i == tasks_.end() ? nullptr : &i->second;
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
  auto* x = find(partition);
  if (x == nullptr || x->where != place::waiting || x->attempt != attempt)
    return out;
  x->where = place::idle;
  bring_up_idle(out);
  return out;
}

lane_machine::actions lane_machine::bring_up_failed(int partition,
                                                    std::uint64_t attempt) {
  actions out;
  auto* x = find(partition);
  if (x == nullptr || x->where != place::coming || x->attempt != attempt)
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
  auto* x = find(partition);
  if (x == nullptr || x->where != place::parting || x->attempt != attempt)
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
