// Every way of a lane (rule H11): breadth first through all that can happen to
// it, equal states merged, with one and with two tasks. The world around the
// machine keeps its own books, so that what it checks is not what the machine
// believes.
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_set>

#include <catch2/catch.hpp>

#include "actors/lane_machine.hpp"

using weir::lane_machine;

namespace {

/// Something that was asked for and is not answered yet.
struct request {
  enum class kind {
    open,
    open_timer,
    bring_up,
    bring_up_timer,
    move,
    seal,
    commit,
    apply,
    end_task,
    let_go,
    retire_timer,
  };
  kind what;
  int partition = -1;
  std::uint64_t number = 0;

  auto operator<=>(const request&) const = default;
};

struct broken : std::logic_error {
  using std::logic_error::logic_error;
};

void must(bool holds, const char* what) {
  if (!holds)
    throw broken{what};
}

class world {
public:
  explicit world(int tasks) {
    for (int p = 0; p < tasks; ++p)
      take(lane_.add(p));
    take(lane_.start());
  }

  using event = std::function<void(world&)>;
  /// Everything that can happen next.
  std::vector<std::pair<std::string, event>> events() const;
  /// The environment answers everything well until nothing is left to answer.
  void settle();
  /// What may not be left behind by a world that answers.
  void check_settled() const;
  std::string key() const;
  bool over() const { return ended_; }

private:
  using kind = request::kind;
  using machine = lane_machine;

  void take(const machine::actions& todo) {
    for (auto& each : todo)
      std::visit([this](auto& x) { on(x); }, each);
  }
  void ask(kind what, int partition, std::uint64_t number) {
    pending_.insert({what, partition, number});
    if (what == kind::open || what == kind::open_timer)
      newest_id_ = number;
  }
  void withdraw(kind what, int partition) {
    std::erase_if(pending_, [&](auto& x) {
      return x.what == what && x.partition == partition;
    });
  }

  void on(const machine::open_id& x) { ask(kind::open, -1, x.id); }
  void on(const machine::open_later& x) { ask(kind::open_timer, -1, x.id); }
  void on(const machine::drop_id& x) {
    must(dropped_.insert(x.id).second, "an id is dropped once");
    if (x.id == used_)
      used_ = 0;
  }
  void on(const machine::use_id& x) {
    must(opened_.count(x.id) > 0, "an id is used once it is initialised");
    used_ = x.id;
  }
  void on(const machine::bring_up& x) {
    must(alive_.count(x.partition) == 0, "one incarnation at a time");
    must(used_ != 0, "a bring-up needs an id");
    latest_[x.partition] = x.attempt;
    bound_[x.partition] = used_;
    ask(kind::bring_up, x.partition, x.attempt);
  }
  void on(const machine::bring_up_later& x) {
    latest_[x.partition] = x.attempt;
    ask(kind::bring_up_timer, x.partition, x.attempt);
  }
  void on(const machine::end_bring_up& x) {
    withdraw(kind::bring_up, x.partition);
  }
  void on(const machine::move_claim& x) {
    must(alive_.count(x.partition) > 0, "only a task's own lane moves its claim");
    ask(kind::move, x.partition, x.id);
  }
  void on(const machine::seal& x) {
    must(alive_.count(x.partition) > 0 && in_.count(x.partition) > 0,
         "only who takes part seals");
    must(last_.count(x.partition) == 0, "nothing is sealed after the last");
    must(applying() == 0, "L5: seal n+1 waits for apply n");
    if (x.last)
      last_.insert(x.partition);
    ask(kind::seal, x.partition, x.number);
  }
  void on(const machine::commit& x) {
    must(x.number == begun_, "the transaction that has begun is committed");
    in_.clear();
    ask(kind::commit, -1, x.number);
  }
  void on(const machine::apply& x) {
    must(committed_ == x.number, "L5: an apply follows its commit");
    ask(kind::apply, x.partition, x.number);
  }
  void on(const machine::begin& x) {
    must(used_ != 0, "a begin needs an id");
    must(x.number > begun_, "transactions are numbered upwards");
    begun_ = x.number;
    in_.clear();
  }
  void on(const machine::begun& x) {
    must(x.number == begun_, "the begin comes first");
    must(alive_.count(x.partition) > 0, "a task that is gone takes no part");
    must(last_.count(x.partition) == 0, "nothing follows the last seal (C2)");
    must(claims_[x.partition] == used_,
         "H11: the acknowledged claim names the id of the transaction");
    in_.insert(x.partition);
  }
  void on(const machine::end_task& x) {
    must(alive_.count(x.partition) > 0, "only a living task is ended");
    for (auto each : {kind::seal, kind::apply, kind::move})
      withdraw(each, x.partition);
    in_.erase(x.partition);
    ask(kind::end_task, x.partition, 0);
  }
  void on(const machine::let_go& x) {
    must(alive_.count(x.partition) == 0, "C2: a release follows the end");
    latest_[x.partition] = x.attempt;
    ask(kind::let_go, x.partition, x.attempt);
  }
  void on(const machine::end_let_go& x) {
    withdraw(kind::let_go, x.partition);
  }
  void on(const machine::hand_on& x) {
    must(alive_.count(x.partition) == 0, "it is handed on when it has ended");
  }
  void on(const machine::limit_retiring& x) {
    ask(kind::retire_timer, -1, x.id);
  }
  void on(const machine::end&) {
    must(!ended_, "a lane ends once");
    must(used_ == 0, "its id is dropped before");
    ended_ = true;
  }

  /// The newest number of an id or of a timer for one.
  std::uint64_t newest_id() const { return newest_id_; }
  int applying() const {
    int out = 0;
    for (auto& x : pending_)
      out += x.what == kind::apply ? 1 : 0;
    return out;
  }
  void answer(request x, int how);
  int answers(const request& x) const;

  machine lane_;
  std::set<request> pending_;
  std::set<std::uint64_t> opened_;
  std::set<std::uint64_t> dropped_;
  std::uint64_t newest_id_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t committed_ = 0;
  std::set<int> alive_;
  std::set<int> in_;
  std::set<int> last_;
  std::map<int, std::uint64_t> claims_;
  std::map<int, std::uint64_t> bound_;
  std::map<int, std::uint64_t> latest_;
  bool ended_ = false;
};

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

struct exploration {
  std::size_t states = 0;
  std::size_t steps = 0;
  int depth = 0;
  bool complete = false;
};

/// Breadth first to `depth` or to the end, equal states merged.
exploration explore(int tasks, int depth, std::size_t most) {
  struct node {
    world at;
    std::string way;
  };
  exploration out;
  std::unordered_set<std::string> seen;
  std::deque<node> level{{world{tasks}, {}}};
  seen.insert(level.front().at.key());
  for (; !level.empty() && out.depth < depth && seen.size() < most;
       ++out.depth) {
    std::deque<node> next;
    for (auto& from : level) {
      for (auto& [name, happen] : from.at.events()) {
        ++out.steps;
        auto way = from.way + " > " + name;
        auto to = from.at;
        try {
          happen(to);
          auto rested = to;
          rested.settle();
          rested.check_settled();
        } catch (const broken& what) {
          throw std::logic_error{std::string{what.what()} + ":" + way + "\n" +
                                 to.key()};
        }
        if (!to.over() && seen.insert(to.key()).second)
          next.push_back({std::move(to), way});
      }
    }
    level = std::move(next);
  }
  out.states = seen.size();
  out.complete = level.empty();
  return out;
}

void report(int tasks, const exploration& x) {
  std::printf("lane, %d task%s: %zu states, %zu steps, depth %d%s\n", tasks,
              tasks == 1 ? "" : "s", x.states, x.steps, x.depth,
              x.complete ? ", complete" : "");
}

} // namespace

TEST_CASE("H11: every way of a lane with one task ends well", "[lane]") {
  auto all = explore(1, 1'000, 2'000'000);
  report(1, all);
  CHECK(all.complete);
  CHECK(all.states > 100);
}

TEST_CASE("H11: every sequence of events of a lane with two tasks ends well",
          "[lane]") {
  auto all = explore(2, 12, 120'000);
  report(2, all);
  CHECK(all.depth >= 8);
}
