// The world around a lane's machine: what was asked of it and is not answered
// yet, in books of its own, so that what it checks is not what the machine
// believes.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "actors/lane/lane_machine.hpp"

namespace weir::test {

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

inline void must(bool holds, const char* what) {
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

} // namespace weir::test
