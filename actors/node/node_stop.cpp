// How a node ends: in order, and within its limit (rule H34).
#include "actors/node/node.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

/// What does not answer by then does not keep the node: nothing that matters
/// hangs on it.
constexpr milliseconds group_limit{1'000};
constexpr milliseconds session_limit{1'500};

} // namespace

void node_actor::stop(node_outcome outcome, const std::string& text, ec cause) {
  // The first cause of a failure is the one to tell.
  if (report_.outcome == node_outcome::stopped) {
    report_.outcome = outcome;
    if (outcome != node_outcome::stopped)
      report_.cause = cause;
    if (outcome != node_outcome::stopped || report_.text.empty())
      report_.text = text;
  }
  if (std::exchange(stopping_, true))
    return;
  log_info("node.stopping", "why", text);
  close_goals();
  context_->stopping.cancel();
  auto limit = context_->settings.stop_limit;
  run_after(limit / 2, [this] { give_up_commits(); });
  run_after(limit * 3 / 4, [this] { give_up_lanes(); });
  stop_lanes();
}

void node_actor::stop_lanes() {
  show_left();
  if (lanes_.empty())
    return lanes_gone();
  for (auto& [index, lane] : lanes_)
    tell_high(lane.actor, stop_lane{});
}

/// Half of the time is over: what is not committed now will not be.
void node_actor::give_up_commits() {
  if (lanes_.empty())
    return;
  log_warning("node.stop_gives_up", "left", left_lanes());
  context_->giving_up.cancel();
  for (auto& [index, lane] : lanes_)
    tell_high(lane.actor, drop_lane{});
}

/// Three quarters are over: the session is closed without them.
void node_actor::give_up_lanes() {
  if (lanes_.empty())
    return;
  report_.left = left_lanes();
  report_.uncommitted = true;
  log_error("node.stop_leaves", "left", report_.left);
  lanes_.clear();
  lanes_gone();
}

void node_actor::on_lane_stopped(const lane_stopped& x) {
  if (lanes_.erase(x.lane) == 0)
    return;
  if (stopping_) {
    report_.uncommitted |= !x.committed;
    show_left();
  }
  if (lanes_.empty() && (stopping_ || rejoining_))
    lanes_gone();
}

std::string node_actor::left_lanes() const {
  std::string out;
  for (auto& [index, lane] : lanes_) {
    out +=
        (out.empty() ? "lane " : ", lane ") + std::to_string(index) + " (tasks";
    for (auto partition : lane.partitions)
      out += ' ' + std::to_string(partition);
    out += ')';
  }
  return out;
}

void node_actor::show_left() {
  if (options_.on_stopping)
    options_.on_stopping(lanes_.empty() ? "the session" : left_lanes());
}

void node_actor::lanes_gone() {
  if (rejoining_ && !stopping_) {
    tasks_.clear();
    info_ = nullptr;
    return join(true);
  }
  leave();
}

/// Beside each other: each may hang for a server of its own.
void node_actor::leave() {
  if (std::exchange(leaving_, true))
    return;
  if (membership_)
    tell(membership_, leave_job{});
  run_after(session_limit, [this] { end(); });
  naming_positions_ = true;
  run_after(group_limit, [this] { positions_named(); });
  commit_group([this] { positions_named(); });
}

void node_actor::positions_named() {
  group_token_.cancel();
  naming_positions_ = false;
  end_if_left();
}

void node_actor::membership_gone() {
  membership_ = nullptr;
  // It was told to leave, or will not say that it has.
  if (stopping_ && lanes_.empty() && leaving_)
    end_if_left();
}

void node_actor::end_if_left() {
  if (!membership_ && !naming_positions_)
    end();
}

void node_actor::take_counts() {
  auto total = context_->counts.total();
  report_.records = total.records;
  report_.skipped = total.skipped;
  report_.lost = total.lost;
}

void node_actor::end() {
  if (std::exchange(ended_, true))
    return;
  if (report_.uncommitted) {
    if (report_.outcome == node_outcome::stopped)
      report_.outcome = node_outcome::failed;
    report_.text += "; the last records were not committed and will be "
                    "processed again";
  }
  if (!report_.left.empty())
    report_.text += "; left behind: " + report_.left;
  take_counts();
  log_info("node.stopped", "outcome", static_cast<int>(report_.outcome),
           "records", report_.records, "skipped", report_.skipped, "lost",
           report_.lost);
  info_ = nullptr;
  if (options_.on_end)
    options_.on_end(report_);
  quit();
}

} // namespace weir
