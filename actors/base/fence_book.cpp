#include "actors/base/fence_book.hpp"

#include <algorithm>

namespace weir {

namespace {

constexpr std::chrono::milliseconds first_pause{200};
constexpr std::chrono::milliseconds longest_pause{5'000};

} // namespace

fence_book::verdict fence_book::ask(const std::string& id, waiter who) {
  if (is_fenced(id))
    return verdict::known;
  auto [i, first] = open_.try_emplace(id);
  drop_cancelled(i->second);
  i->second.waiters.push_back(std::move(who));
  return first ? verdict::begin : verdict::joined;
}

void fence_book::drop_cancelled(entry& x) {
  std::erase_if(x.waiters, [](auto& each) { return each.token.cancelled(); });
}

std::vector<fence_book::waiter> fence_book::failed(const std::string& id,
                                                   milliseconds& pause) {
  auto i = open_.find(id);
  if (i == open_.end())
    return {};
  auto doublings = std::min(i->second.failures++, 5);
  pause = std::min(longest_pause, first_pause * (1 << doublings));
  drop_cancelled(i->second);
  return i->second.waiters;
}

std::vector<fence_book::waiter> fence_book::fenced(const std::string& id) {
  if (known_.insert(id).second)
    order_.push_back(id);
  if (order_.size() > memory) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  auto i = open_.find(id);
  if (i == open_.end())
    return {};
  auto out = std::move(i->second.waiters);
  open_.erase(i);
  return out;
}

bool fence_book::try_again(const std::string& id) {
  auto i = open_.find(id);
  if (i == open_.end())
    return false;
  drop_cancelled(i->second);
  if (!i->second.waiters.empty())
    return true;
  open_.erase(i);
  return false;
}

} // namespace weir
