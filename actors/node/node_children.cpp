// What a node does when one of its actors dies, or another process (rules H31,
// H33).
#include "actors/node/fencer.hpp"
#include "actors/node/node.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

/// A process that is killed on this host is noticed within this.
constexpr milliseconds owners_period{1'000};
constexpr std::chrono::minutes death_window{1};
constexpr std::size_t most_deaths = 3;

} // namespace

void node_actor::start_fencer() {
  auto fencer = system().spawn<fencer_actor>(context_);
  adopt(fencer, [this](const std::string& why) {
    stop(node_outcome::failed, "the fencer failed: " + why);
  });
  context_->fence = [to = weak_actor{fencer.address()}](std::string id,
                                                        cancel_token token,
                                                        fence_answer answer) {
    to.tell(fence_id{std::move(id), {std::move(token), std::move(answer)}});
  };
  fencer_ = std::move(fencer);
}

bool node_actor::is_third_death() {
  auto now = clock().now();
  deaths_.push_back(now);
  while (deaths_.front() + death_window < now)
    deaths_.pop_front();
  return deaths_.size() >= most_deaths;
}

/// Its tasks end with it; its claims name an id of ours of which no lane lives,
/// which the new lane's bring-ups fence.
void node_actor::lane_died(int index, const std::string& why) {
  auto i = lanes_.find(index);
  if (i == lanes_.end())
    return;
  if (stopping_ || rejoining_ || paused_)
    return on_lane_stopped({index, false});
  auto lane = std::move(i->second);
  lanes_.erase(i);
  // They are drained when the new lane has them, and can release their claims.
  for (auto partition : lane.partitions)
    tasks_[partition].positions.clear();
  if (is_third_death())
    return stop(node_outcome::failed, "a lane failed: " + why);
  start_lane(std::move(lane.partitions), lane.solo);
}

/// Its session is closed, so its member node goes; a new one joins.
void node_actor::membership_died(const std::string& why) {
  if (!membership_)
    return;
  if (stopping_)
    return membership_gone();
  if (is_third_death()) {
    membership_gone();
    return stop(node_outcome::failed, "the membership failed: " + why);
  }
  on_session_lost({"the membership failed: " + why});
}

void node_actor::died() {
  if (std::exchange(ended_, true))
    return;
  report_.outcome = node_outcome::failed;
  report_.text = "the node failed: " + death();
  report_.uncommitted = true;
  report_.died = true;
  close_goals();
  take_counts();
  if (options_.on_end)
    options_.on_end(report_);
}

void node_actor::owners_tick() {
  if (stopping_)
    return;
  if (context_->members.owners_changed(*context_->outside.world))
    for (auto& [index, lane] : lanes_)
      tell(lane.actor, members_changed{});
  run_after(owners_period, [this] { owners_tick(); });
}

} // namespace weir
