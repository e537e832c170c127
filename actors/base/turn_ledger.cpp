#include "actors/base/turn_ledger.hpp"

#include <algorithm>

#include "actors/base/scheduling.hpp"

namespace weir {

std::unique_ptr<turn_ledger::seat>
turn_ledger::join(std::function<void()> granted, std::uint64_t group) {
  std::lock_guard guard{mutex_};
  auto id = next_++;
  auto& x = members_[id];
  x.granted = std::make_shared<std::function<void()>>(std::move(granted));
  x.group = group;
  return std::make_unique<seat>(*this, id);
}

turn_ledger::nanoseconds turn_ledger::turn() const {
  std::lock_guard guard{mutex_};
  return turn_of_each();
}

turn_ledger::nanoseconds turn_ledger::turn_of_each() const {
  return std::clamp(part_of_round(), shortest_turn, longest_turn);
}

turn_ledger::nanoseconds turn_ledger::part_of_round() const {
  return longest_round / std::max<std::size_t>(members_.size(), 1);
}

std::int64_t turn_ledger::stretch() const {
  return places_ * (part_of_round() / turn_of_each());
}

void turn_ledger::leave(std::uint64_t id) {
  std::vector<grant> granted;
  {
    std::lock_guard guard{mutex_};
    auto found = members_.find(id);
    if (found == members_.end())
      return;
    auto& x = found->second;
    if (x.is == state::waiting)
      waiting_.erase(x.rank);
    if (x.is == state::has_place)
      unplace(x);
    members_.erase(found);
    granted = fill();
  }
  for (auto& each : granted)
    (*each)();
}

void turn_ledger::want(std::uint64_t id) {
  std::vector<grant> granted;
  {
    std::lock_guard guard{mutex_};
    auto found = members_.find(id);
    if (found == members_.end() || found->second.is != state::idle)
      return;
    auto& x = found->second;
    x.had = x.began = std::max(x.had, now_);
    x.turns = 0;
    x.overran = false;
    queue(id, x, x.had - part_of_round().count());
    granted = fill();
  }
  for (auto& each : granted)
    (*each)();
}

bool turn_ledger::done(std::uint64_t id, nanoseconds used, bool again) {
  std::vector<grant> granted;
  {
    std::lock_guard guard{mutex_};
    auto found = members_.find(id);
    if (found == members_.end() || found->second.is != state::has_place)
      return false;
    auto& x = found->second;
    end_turn(x, used);
    unplace(x);
    if (again)
      queue(id, x, x.began);
    granted = fill();
    again = x.is == state::has_place;
    if (again)
      std::erase(granted, x.granted);
  }
  for (auto& each : granted)
    (*each)();
  return again;
}

void turn_ledger::end_turn(member& x, nanoseconds used) {
  x.had += std::max<std::int64_t>(used.count(), 0);
  x.overran = used > 2 * turn_of_each();
  if (++x.turns < stretch() && !x.overran && !caught_up_with(x.had))
    return;
  x.turns = 0;
  x.began = x.had;
}

bool turn_ledger::caught_up_with(std::int64_t had) const {
  for (auto i = waiting_.begin();
       i != waiting_.end() && i->first.first <= had; ++i)
    if (members_.at(i->second).overran)
      return true;
  return false;
}

void turn_ledger::queue(std::uint64_t id, member& x, std::int64_t rank) {
  x.is = state::waiting;
  // Within a stretch it stays before those who were behind it.
  if (x.turns == 0)
    x.rank.second = next_++;
  x.rank.first = rank;
  waiting_.emplace(x.rank, id);
}

void turn_ledger::place(member& x) {
  x.is = state::has_place;
  --free_;
  ++at_work_[x.group];
}

void turn_ledger::unplace(member& x) {
  x.is = state::idle;
  ++free_;
  auto of_group = at_work_.find(x.group);
  if (--of_group->second == 0)
    at_work_.erase(of_group);
}

turn_ledger::line::iterator turn_ledger::next() {
  auto first = waiting_.begin();
  // Nobody waits longer than a round for being of the wrong group.
  auto bound = first->first.first + longest_round.count();
  for (auto i = first; i != waiting_.end() && i->first.first <= bound; ++i)
    if (!at_work_.contains(members_[i->second].group))
      return i;
  return first;
}

std::vector<turn_ledger::grant> turn_ledger::fill() {
  std::vector<grant> out;
  while (free_ > 0 && !waiting_.empty()) {
    auto chosen = next();
    auto& x = members_[chosen->second];
    waiting_.erase(chosen);
    // What nobody waited for is nobody's loss: it does not count.
    if (waiting_.empty())
      x.had = x.began = std::min(x.had, now_);
    now_ = std::max(now_, x.began);
    place(x);
    out.push_back(x.granted);
  }
  return out;
}

} // namespace weir
