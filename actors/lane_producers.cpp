#include "actors/lane_producers.hpp"

namespace weir {

void output_acks::close(callback done) {
  {
    std::lock_guard guard{mutex_};
    done_ = std::move(done);
  }
  expected_ = sent_;
  answered();
}

void output_acks::delivered(std::int64_t) noexcept {
  ++answered_;
  answered();
}

void output_acks::failed(const error& why) noexcept {
  {
    std::lock_guard guard{mutex_};
    if (!problem_)
      problem_ = why;
  }
  ++answered_;
  answered();
}

void output_acks::answered() noexcept {
  if (answered_ != expected_)
    return;
  callback done;
  result<void> how;
  {
    std::lock_guard guard{mutex_};
    // `close` and the last delivery may both come here: one has the callback.
    if (!done_)
      return;
    done.swap(done_);
    if (problem_)
      how = fail(*problem_);
  }
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
