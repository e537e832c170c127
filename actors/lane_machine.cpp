#include "actors/lane_machine.hpp"

#include <algorithm>

#include "runtime/assert.hpp"

namespace weir {

lane_machine::actions lane_machine::opened() {
  WEIR_ASSERT(phase_ == phase::closed, "a lane opens once for each id");
  return begin_next();
}

lane_machine::actions lane_machine::begin_next() {
  phase_ = phase::open;
  ++number_;
  actions out{begin{number_}};
  for (auto& [partition, task] : tasks_) {
    task.in = true;
    out.push_back(begun{partition, number_});
    commit_wanted_ |= task.forced;
  }
  try_seal(out);
  return out;
}

lane_machine::actions lane_machine::join(int partition, bool first_commit) {
  actions out;
  if (phase_ == phase::over)
    return out;
  auto& task = tasks_[partition];
  task.forced = first_commit;
  if (phase_ == phase::open) {
    task.in = true;
    out.push_back(begun{partition, number_});
    commit_wanted_ |= first_commit;
    try_seal(out);
  }
  return out;
}

lane_machine::actions lane_machine::want_commit() {
  actions out;
  commit_wanted_ = true;
  try_seal(out);
  return out;
}

bool lane_machine::is_applying() const {
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [](auto& each) { return each.second.applying; });
}

void lane_machine::try_seal(actions& out) {
  // L5: seal n+1 waits for apply n, so that one frozen overlay exists.
  if (phase_ != phase::open || !commit_wanted_ || is_applying())
    return;
  commit_wanted_ = false;
  last_seal_ = stopping_;
  phase_ = phase::sealing;
  bool any = false;
  for (auto& [partition, task] : tasks_) {
    if (!task.in)
      continue;
    any = true;
    task.sealed = task.empty = task.outputs_acknowledged = false;
    out.push_back(seal{partition, number_, task.forced, last_seal_});
  }
  if (!any)
    try_publish(out);
}

lane_machine::actions lane_machine::sealed(int partition, std::uint64_t number,
                                           bool empty) {
  actions out;
  auto i = tasks_.find(partition);
  if (phase_ != phase::sealing || number != number_ || i == tasks_.end())
    return out;
  i->second.sealed = true;
  i->second.empty = empty;
  try_publish(out);
  return out;
}

lane_machine::actions lane_machine::outputs_acknowledged(int partition,
                                                         std::uint64_t number) {
  actions out;
  auto i = tasks_.find(partition);
  if (phase_ != phase::sealing || number != number_ || i == tasks_.end())
    return out;
  i->second.outputs_acknowledged = true;
  try_publish(out);
  return out;
}

void lane_machine::try_publish(actions& out) {
  bool all_empty = true;
  for (auto& [partition, task] : tasks_) {
    if (!task.in)
      continue;
    if (!task.sealed)
      return;
    // L1: the transaction ends only when every output is acknowledged.
    if (at_least_once && !task.empty && !task.outputs_acknowledged)
      return;
    all_empty &= task.empty;
  }
  if (!all_empty) {
    phase_ = phase::publishing;
    out.push_back(commit{number_});
    return;
  }
  if (last_seal_) {
    finish(out);
    return;
  }
  // Nothing to commit: the same transaction goes on.
  phase_ = phase::open;
  for (auto& [partition, task] : tasks_) {
    task.in = true;
    out.push_back(begun{partition, number_});
    commit_wanted_ |= task.forced;
  }
  try_seal(out);
}

lane_machine::actions lane_machine::committed(std::uint64_t number,
                                              bool retire) {
  actions out;
  if (phase_ != phase::publishing || number != number_)
    return out;
  for (auto& [partition, task] : tasks_) {
    if (!task.in || task.empty)
      continue;
    task.applying = true;
    task.forced = false;
    out.push_back(apply{partition, number});
  }
  if (last_seal_ || (retire && stopping_)) {
    phase_ = phase::closed;
    if (!is_applying())
      finish(out);
    return out;
  }
  if (retire) {
    phase_ = phase::closed;
    out.push_back(retire_id{});
    return out;
  }
  auto next = begin_next();
  out.insert(out.end(), next.begin(), next.end());
  return out;
}

lane_machine::actions lane_machine::applied(int partition,
                                            std::uint64_t number) {
  actions out;
  auto i = tasks_.find(partition);
  // The next transaction may have begun meanwhile; number names the applied.
  if (phase_ == phase::over || i == tasks_.end() || number > number_)
    return out;
  i->second.applying = false;
  if (stopping_ && phase_ == phase::closed && !is_applying())
    finish(out);
  try_seal(out);
  return out;
}

lane_machine::actions lane_machine::heartbeat() {
  for (auto& [partition, task] : tasks_)
    task.forced = true;
  return want_commit();
}

void lane_machine::finish(actions& out) {
  phase_ = phase::over;
  out.push_back(stopped{});
}

lane_machine::actions lane_machine::stop() {
  actions out;
  if (stopping_ || phase_ == phase::over)
    return out;
  stopping_ = true;
  // While an id is opened or retired nothing is in a transaction: every task
  // is at its last commit, or will be after its running apply.
  if (phase_ == phase::closed) {
    if (!is_applying())
      finish(out);
    return out;
  }
  // A seal that is on its way is not the last one: the begin or apply behind it
  // starts another.
  commit_wanted_ = true;
  try_seal(out);
  return out;
}

lane_machine::actions lane_machine::failed(std::string reason,
                                           std::optional<int> culprit) {
  if (phase_ == phase::over)
    return {};
  phase_ = phase::over;
  return {give_up{std::move(reason), culprit}};
}

} // namespace weir
