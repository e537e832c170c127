#include "test/simulation/sim_network.hpp"

#include <utility>

namespace weir::sim {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds longest_gap = std::chrono::milliseconds{30};
/// Longer than the lease, and than the session.
constexpr nanoseconds long_gap = std::chrono::seconds{12};

} // namespace

sim_network::sim_network(std::shared_ptr<embedded_coordination> base,
                         unsigned percent, random_source& random,
                         const virtual_time& time)
    : base_(std::move(base)), percent_(percent), random_(random), time_(time) {}

std::string sim_network::describe() const {
  return base_->describe();
}

result<std::unique_ptr<coordination>>
sim_network::open_session(session_options options) {
  auto heard = std::move(options.on_event);
  options.on_event = [this, heard](session_event event) {
    if (event == session_event::disconnected)
      heals_at_ = time_.now +
                  (random_.below(10) == 0
                       ? long_gap
                       : nanoseconds{random_.below(
                             static_cast<std::uint64_t>(longest_gap.count()))});
    if (heard)
      heard(event);
  };
  auto session = base_->open_session(std::move(options));
  if (session)
    session_ = (*session)->session_id();
  return session;
}

void sim_network::step(bool calm) {
  if (heals_at_ && *heals_at_ <= time_.now) {
    heals_at_.reset();
    base_->expire_overdue();
    base_->reconnect(session_);
  }
  if (calm || percent_ == 0 || session_ == 0 || random_.below(100) >= percent_)
    return;
  switch (random_.below(6)) {
  case 0:
  case 1:
    return base_->lose_next_reply(session_);
  case 2:
    return base_->lose_next_request(session_);
  case 3:
  case 4:
    return base_->disconnect(session_);
  default:
    return base_->expire_session(session_);
  }
}

nanoseconds sim_network::next_due() const noexcept {
  return heals_at_.value_or(nanoseconds::max());
}

} // namespace weir::sim
