// A reader's callback for a thread that may wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace weir {

/// Thread-safe; one thread waits.
class wake_up {
public:
  void set() {
    std::lock_guard guard{mutex_};
    ready_ = true;
    changed_.notify_one();
  }
  /// Until `set` was called since the last wait, or for `limit`.
  void wait(std::chrono::milliseconds limit) {
    std::unique_lock guard{mutex_};
    changed_.wait_for(guard, limit, [this] { return ready_; });
    ready_ = false;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
};

} // namespace weir
