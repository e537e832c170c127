// Carries a reader's wake-up to an actor that may not exist yet.
#pragma once

#include <mutex>
#include <utility>

#include "actors/base/caf.hpp"

namespace weir {

/// Sent to the task when one of its inputs may have something.
struct input_ready {};

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::input_ready)

namespace weir {

/// Readers are opened while a task is brought up, before its actor is spawned.
/// Thread-safe. Several wake-ups before the actor looks are one message.
class ready_relay {
public:
  void notify() {
    std::lock_guard guard{mutex_};
    if (std::exchange(pending_, true))
      return;
    target_.tell(input_ready{});
  }

  /// From now on wake-ups go to `target`; what came before is repeated.
  void connect(weak_actor target) {
    std::lock_guard guard{mutex_};
    target_ = std::move(target);
    if (pending_)
      target_.tell(input_ready{});
  }

  /// The actor is about to poll: a later wake-up is a new message.
  void acknowledge() {
    std::lock_guard guard{mutex_};
    pending_ = false;
  }

private:
  std::mutex mutex_;
  weak_actor target_;
  bool pending_ = false;
};

} // namespace weir
