#include "test/simulation/sim_network.hpp"

#include <algorithm>
#include <utility>

#include "test/simulation/failing_session.hpp"

namespace weir::sim {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds longest_gap = std::chrono::milliseconds{30};
/// Longer than the lease, and than the session.
constexpr nanoseconds long_gap = std::chrono::seconds{12};

} // namespace

sim_network::sim_network(std::shared_ptr<embedded_coordination> base,
                         unsigned percent, sim_random& random,
                         const virtual_time& time, planned_failures& planned)
    : base_(std::move(base)), percent_(percent), random_(random), time_(time),
      planned_(planned) {}

std::string sim_network::describe() const {
  return base_->describe();
}

result<std::unique_ptr<coordination>>
sim_network::open_session(session_options options) {
  // The first start is not patient, and is not what is tried here.
  if (cut_until_ > time_.now && !sessions_.empty())
    return fail(ec::disconnected, "simulated: there is no connection");
  auto heard = std::move(options.on_event);
  options.on_event = [this, heard](session_event event) {
    if (event == session_event::disconnected)
      heal_later();
    if (heard)
      heard(event);
  };
  session_timeout_ = options.session_timeout;
  auto session = base_->open_session(std::move(options));
  if (!session)
    return session;
  auto id = (*session)->session_id();
  sessions_.push_back(id);
  return make_failing_session(std::move(*session), planned_,
                              [base = base_, id] { base->expire_session(id); });
}

void sim_network::heal_later() {
  auto gap = random_.below(10) == 0 ? long_gap : random_.up_to(longest_gap);
  heals_at_ = std::max(cut_until_, time_.now + gap);
  overdue_at_ = time_.now + session_timeout_;
}

void sim_network::step(bool calm) {
  pass();
  if (!calm && percent_ > 0 && !sessions_.empty() &&
      random_.below(100) < percent_)
    break_by_chance();
}

void sim_network::break_by_chance() {
  auto session = sessions_.back();
  switch (random_.below(6)) {
  case 0:
  case 1:
    return base_->lose_next_reply(session);
  case 2:
    return base_->lose_next_request(session);
  case 3:
  case 4:
    return base_->disconnect(session);
  default:
    return base_->expire_session(session);
  }
}

void sim_network::pass() {
  if (overdue_at_ && *overdue_at_ <= time_.now) {
    overdue_at_.reset();
    base_->expire_overdue();
  }
  if (heals_at_ && *heals_at_ <= time_.now) {
    heals_at_.reset();
    if (!sessions_.empty())
      base_->reconnect(sessions_.back());
  }
  if (ends_at_ && *ends_at_ <= time_.now) {
    ends_at_.reset();
    for (auto each : sessions_)
      base_->expire_session(each);
  }
}

nanoseconds sim_network::next_due() const noexcept {
  auto next = nanoseconds::max();
  for (auto& each : {heals_at_, overdue_at_, ends_at_})
    next = std::min(next, each.value_or(next));
  return next;
}

void sim_network::cut(nanoseconds until) {
  cut_until_ = until;
  if (!sessions_.empty())
    base_->disconnect(sessions_.back());
}

void sim_network::pause() {
  ends_at_ = time_.now + session_timeout_;
}

void sim_network::die() {
  // Disconnected first: what the dead process lets go of must not look to the
  // service like an orderly close.
  for (auto each : sessions_)
    base_->disconnect(each);
  heals_at_.reset();
  overdue_at_.reset();
  ends_at_ = time_.now + session_timeout_;
}

} // namespace weir::sim
