#include "actors/failure/failure_policy.hpp"

#include <algorithm>
#include <array>

#include "runtime/base/log.hpp"

namespace weir {

namespace {

/// Rule L8: before a task gets a lane of its own, and again before it parks.
constexpr int failures_before_verdict = 3;
constexpr std::int64_t first_pause_ms = 100;
/// More failures than this in an hour, each of them passed: something is wrong
/// that no retry cures soon.
constexpr std::size_t failures_an_hour = 20;
constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t long_pause_ms = 60'000;

constexpr auto no = reaction::impossible;
constexpr auto retry = reaction::retry;
constexpr auto pause_ = reaction::pause;
constexpr auto lane = reaction::lane;

/// A row: restore, claim, open_id, transaction, apply, input, user_code.
using row = std::array<reaction, 7>;

constexpr row row_of(ec what) {
  using enum reaction;
  switch (what) {
  case ec::disconnected:
  case ec::timed_out:
  case ec::unknown_outcome:
    return {retry, retry, retry, lane, no, retry, lane_blame};
  case ec::session_expired:
    // The node hears of it from membership and drops the lane.
    return {retry, retry, retry, lane, no, no, lane_blame};
  case ec::fenced:
    // H18: a claim that another has taken means that our id is fenced.
    return {no, lane, retry, lane, no, no, lane_blame};
  case ec::transaction_failed:
    return {no, retry, retry, lane, no, no, lane_blame};
  case ec::version_mismatch:
  case ec::already_exists:
  case ec::not_empty:
    // Somebody else wrote: look again.
    return {no, retry, no, no, no, no, lane_blame};
  case ec::not_found:
  case ec::rejected:
  case ec::bad_argument:
    return {pause_, pause_, pause_, lane_pause, no, lane_pause, lane_blame};
  case ec::io_error:
  case ec::locked:
    return {pause_, no, pause_, lane_pause, lane_pause, lane_pause, lane_blame};
  case ec::damaged:
    return {rebuild, no, no, no, lane_rebuild, no, lane_rebuild};
  case ec::corruption:
  case ec::bad_format:
  case ec::data_loss:
    return {park, park, no, lane_park, lane_park, leave_park, lane_park};
  case ec::too_large:
  case ec::task_failed:
    return {lane_blame, no, no, lane_blame, lane_blame, lane_blame, lane_blame};
  case ec::offset_out_of_range:
    // The next restore finds what is gone, and says so.
    return {pause_, no, no, no, no, lane, lane_blame};
  case ec::queue_full:
    return {no, no, retry, lane, no, no, lane_blame};
  case ec::elsewhere:
    // Only an answer to a question.
    return {no, no, no, no, no, no, lane_blame};
  case ec::closed:
    return {node, node, node, node, node, node, lane_blame};
  }
  return {no, no, no, no, no, no, no};
}

} // namespace

reaction react(failure_place where, ec what) noexcept {
  return row_of(what)[static_cast<std::size_t>(where)];
}

void log_decision(failure_place where, ec what) {
  log_debug("failure.decided", "where", to_string(where), "what",
            to_string(what), "reaction", to_string(react(where, what)));
}

std::string_view to_string(failure_place x) noexcept {
  switch (x) {
  case failure_place::restore:
    return "restore";
  case failure_place::claim:
    return "claim";
  case failure_place::open_id:
    return "open_id";
  case failure_place::transaction:
    return "transaction";
  case failure_place::apply:
    return "apply";
  case failure_place::input:
    return "input";
  case failure_place::user_code:
    return "user_code";
  }
  return "?";
}

std::string_view to_string(reaction x) noexcept {
  switch (x) {
  case reaction::impossible:
    return "impossible";
  case reaction::retry:
    return "retry";
  case reaction::pause:
    return "pause";
  case reaction::lane:
    return "lane";
  case reaction::lane_pause:
    return "lane_pause";
  case reaction::lane_rebuild:
    return "lane_rebuild";
  case reaction::rebuild:
    return "rebuild";
  case reaction::lane_blame:
    return "lane_blame";
  case reaction::lane_park:
    return "lane_park";
  case reaction::leave_park:
    return "leave_park";
  case reaction::park:
    return "park";
  case reaction::node:
    return "node";
  }
  return "?";
}

blame_record::answer blame_record::failed(const task_positions& fault,
                                          std::int64_t now_ms, bool solo) {
  // Another record further back than the one before: the same trouble, until
  // a commit has passed it.
  if (!fault_)
    fault_ = fault;
  ++in_a_row_;
  while (!recent_ms_.empty() && now_ms - recent_ms_.front() > hour_ms)
    recent_ms_.pop_front();
  recent_ms_.push_back(now_ms);
  if (recent_ms_.size() > failures_an_hour + 1)
    recent_ms_.pop_front();
  if (in_a_row_ >= failures_before_verdict && !solo)
    return {verdict::own_lane, 0};
  if (in_a_row_ >= failures_before_verdict && solo)
    return {verdict::park, 0};
  if (recent_ms_.size() > failures_an_hour)
    return {verdict::retry, long_pause_ms};
  return {verdict::retry, first_pause_ms << in_a_row_};
}

void blame_record::committed(const task_positions& positions) noexcept {
  if (!fault_)
    return;
  auto& fault = *fault_;
  for (std::size_t i = 0; i < std::min(fault.size(), positions.size()); ++i)
    if (positions[i] > fault[i]) {
      fault_.reset();
      in_a_row_ = 0;
      return;
    }
}

} // namespace weir
