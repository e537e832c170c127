#include "actors/turn_ledger.hpp"

#include <algorithm>

#include "actors/scheduling.hpp"

namespace weir {

std::unique_ptr<turn_ledger::seat>
turn_ledger::join(std::function<void()> granted) {
  std::lock_guard guard{mutex_};
  auto id = next_++;
  members_[id].granted =
      std::make_shared<std::function<void()>>(std::move(granted));
  return std::make_unique<seat>(*this, id);
}

turn_ledger::nanoseconds turn_ledger::turn() const {
  std::lock_guard guard{mutex_};
  auto tasks =
      std::max<std::int64_t>(static_cast<std::int64_t>(members_.size()), 1);
  return std::clamp(longest_round / tasks, shortest_turn, longest_turn);
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
      waiting_.erase(x.line);
    if (x.is == state::has_place)
      ++free_;
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
    x.had = std::max(x.had, now_);
    queue(id, x);
    granted = fill();
  }
  for (auto& each : granted)
    (*each)();
}

void turn_ledger::done(std::uint64_t id, nanoseconds used, bool again) {
  std::vector<grant> granted;
  {
    std::lock_guard guard{mutex_};
    auto found = members_.find(id);
    if (found == members_.end() || found->second.is != state::has_place)
      return;
    auto& x = found->second;
    x.is = state::idle;
    ++free_;
    x.had += std::max<std::int64_t>(used.count(), 0);
    if (again)
      queue(id, x);
    granted = fill();
  }
  for (auto& each : granted)
    (*each)();
}

void turn_ledger::queue(std::uint64_t id, member& x) {
  x.is = state::waiting;
  x.line = {x.had, next_++};
  waiting_.emplace(x.line, id);
}

std::vector<turn_ledger::grant> turn_ledger::fill() {
  std::vector<grant> out;
  for (; free_ > 0 && !waiting_.empty(); --free_) {
    auto first = waiting_.begin();
    auto& x = members_[first->second];
    waiting_.erase(first);
    // What nobody waited for is nobody's loss: it does not count.
    if (waiting_.empty())
      x.had = std::min(x.had, now_);
    now_ = std::max(now_, x.had);
    x.is = state::has_place;
    out.push_back(x.granted);
  }
  return out;
}

} // namespace weir
