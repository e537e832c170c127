#include "actors/base/node_context.hpp"

#include <algorithm>

namespace weir {

void member_registry::set_members(std::set<std::string> x) {
  std::lock_guard guard{mutex_};
  members_ = std::move(x);
}

std::set<std::string> member_registry::members() const {
  std::lock_guard guard{mutex_};
  return members_;
}

void member_registry::wait_for(const process_identity& owner) {
  std::lock_guard guard{mutex_};
  if (std::find(owners_.begin(), owners_.end(), owner) == owners_.end())
    owners_.push_back(owner);
}

bool member_registry::owners_changed(outside_world& world) {
  std::lock_guard guard{mutex_};
  auto ended = living_->ended();
  auto gone = std::erase_if(owners_, [&](auto& each) {
    return each.start == 0 || world.process_start(each.pid) != each.start;
  });
  return std::exchange(seen_ended_, ended) != ended || gone > 0;
}

void node_context::discard(std::shared_ptr<void> x) const {
  if (x)
    outside.run.bury->post(
        "discard", [dropped = std::move(x)]() mutable { dropped.reset(); });
}

} // namespace weir
