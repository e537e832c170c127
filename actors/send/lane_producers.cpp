#include "actors/send/lane_producers.hpp"

namespace weir {

void output_acks::close(callback done) {
  done_ = std::move(done);
  settle(open - sent_);
}

void output_acks::failed(const error& why) noexcept {
  {
    std::lock_guard guard{mutex_};
    if (!problem_)
      problem_ = why;
  }
  settle(1);
}

void output_acks::settle(std::int64_t count) noexcept {
  if (missing_.fetch_sub(count) != count)
    return;
  auto done = std::move(done_);
  result<void> how;
  if (problem_)
    how = fail(*std::move(problem_));
  settled_ = true;
  done(std::move(how));
}

void bound_producer::keep(std::shared_ptr<kept_listener> x) {
  std::lock_guard guard{mutex_};
  // Amortised: a listener lives for one commit, so few are left each time.
  if (listeners_.size() >= 64)
    std::erase_if(listeners_, [](auto& each) { return each->settled(); });
  listeners_.push_back(std::move(x));
}

} // namespace weir
