#include "test/unit/actors/lane/lane_world.hpp"

namespace weir::test {

/// In how many ways a request can be answered; the first is the good one.
int world::answers(const request& x) const {
  switch (x.what) {
  case kind::open:
  case kind::seal:
  case kind::move:
  case kind::apply:
    return 2;
  case kind::bring_up:
  case kind::commit:
    return 3;
  default:
    return 1;
  }
}

void world::answer(request x, int how) {
  pending_.erase(x);
  switch (x.what) {
  case kind::open:
    if (how == 1)
      return take(lane_.id_failed(x.number));
    if (lane_.awaits_id(x.number))
      opened_ = {x.number};
    return take(lane_.id_opened(x.number));
  case kind::open_timer:
    return take(lane_.open_due(x.number));
  case kind::retire_timer:
    return take(lane_.retire_due(x.number));
  case kind::bring_up:
    if (!lane_.is_current(x.partition, x.number))
      return;
    if (how == 2)
      return take(lane_.bring_up_failed(x.partition, x.number));
    must(bound_[x.partition] == used_, "H12: no bring-up outlives its id");
    claims_[x.partition] = bound_[x.partition];
    alive_.insert(x.partition);
    last_.erase(x.partition);
    return take(lane_.joined(x.partition, x.number, how == 1));
  case kind::bring_up_timer:
    return take(lane_.bring_up_due(x.partition, x.number));
  case kind::move:
    if (how == 0)
      claims_[x.partition] = x.number;
    return take(lane_.claim_moved(x.partition, x.number, how == 0));
  case kind::seal:
    return take(lane_.sealed(x.partition, x.number, how == 1));
  case kind::commit:
    if (how == 2)
      return take(lane_.fail());
    committed_ = x.number;
    return take(lane_.committed(x.number, how == 1));
  case kind::apply:
    if (how == 1)
      return take(lane_.fail(machine::fate{x.partition, true}));
    return take(lane_.applied(x.partition, x.number));
  case kind::end_task:
    alive_.erase(x.partition);
    return take(lane_.gone(x.partition));
  case kind::let_go:
    return take(lane_.let_gone(x.partition, x.number));
  }
}

std::vector<std::pair<std::string, world::event>> world::events() const {
  std::vector<std::pair<std::string, event>> out;
  for (auto& x : pending_)
    for (int how = 0; how < answers(x); ++how)
      out.emplace_back("answer " + std::to_string(static_cast<int>(x.what)) +
                           " of " + std::to_string(x.partition) + " by " +
                           std::to_string(how),
                       [x, how](world& w) { w.answer(x, how); });
  auto add = [&](const char* name, event what) {
    out.emplace_back(name, std::move(what));
  };
  add("want_commit", [](world& w) { w.take(w.lane_.want_commit()); });
  add("heartbeat", [](world& w) { w.take(w.lane_.heartbeat()); });
  add("drain", [](world& w) { w.take(w.lane_.drain()); });
  add("drop", [](world& w) { w.take(w.lane_.drop()); });
  add("fail", [](world& w) { w.take(w.lane_.fail()); });
  for (auto p : {0, 1}) {
    if (latest_.count(p) == 0 && p > 0)
      continue;
    using departure = machine::departure;
    add("park", [p](world& w) { w.take(w.lane_.leave(p, departure::park)); });
    if (alive_.count(p) == 0)
      continue;
    add("blamed", [p](world& w) {
      w.take(w.lane_.fail(machine::fate{p, false, departure::own_lane}));
    });
    add("failed for good", [p](world& w) {
      w.take(w.lane_.fail(machine::fate{p, false, departure::park}));
    });
    add("stuck", [p](world& w) { w.take(w.lane_.stuck(p, {p, true})); });
    if (pending_.count({kind::end_task, p, 0}) == 0)
      add("gone by itself", [p](world& w) {
        w.alive_.erase(p);
        for (auto each : {kind::seal, kind::apply, kind::move})
          w.withdraw(each, p);
        w.in_.erase(p);
        w.take(w.lane_.gone(p));
      });
  }
  return out;
}

void world::settle() {
  // Timers of retiring lanes last: the limit is for who is not answered.
  for (int i = 0; i < 200 && !pending_.empty() && !ended_; ++i) {
    auto next = *pending_.begin();
    answer(next, 0);
  }
}

void world::check_settled() const {
  if (ended_)
    return must(alive_.empty() || lane_.text().find('u') != std::string::npos,
                "an ended lane has no tasks");
  must(pending_.empty(), "a lane comes to rest where everything is answered");
  must(lane_.wish() == machine::goal::run, "a lane that is to end has ended");
  must(lane_.state() == machine::phase::open, "a lane that is to run is open");
  for (auto& [p, attempt] : latest_)
    must(!lane_.hosts(p) || in_.count(p) > 0, "every task takes part");
}

std::string world::key() const {
  auto out = lane_.text() + " #";
  std::set<std::string> asked;
  for (auto& x : pending_) {
    auto latest = latest_.find(x.partition);
    bool current = true;
    if (x.what == kind::open)
      current = lane_.awaits_id(x.number);
    else if (x.what == kind::bring_up || x.what == kind::let_go ||
             x.what == kind::bring_up_timer)
      current = latest->second == x.number;
    else if (x.what == kind::open_timer || x.what == kind::retire_timer)
      current = x.number == newest_id();
    asked.insert(std::to_string(static_cast<int>(x.what)) + ":" +
                 std::to_string(x.partition) + (current ? "c" : "o"));
  }
  for (auto& x : asked)
    out += ' ' + x;
  out += " #";
  for (auto p : alive_)
    out += " a" + std::to_string(p) + (claims_.at(p) == used_ ? "=" : "!");
  for (auto p : in_)
    out += " i" + std::to_string(p);
  for (auto p : last_)
    out += " l" + std::to_string(p);
  out += ended_ ? " ended" : "";
  return out;
}

} // namespace weir::test
