// Keeps polls and assignments of one handle apart without making a poll wait.
//
// The batch calls of librdkafka 2.0 may lose or misroute messages while the
// assignment of the same handle changes. Assignments are rare and blocking,
// polls are frequent and must not block: so an assignment waits for the polls
// that are inside, and a poll that would meet an assignment goes away empty and
// is called back.
#pragma once

#include <atomic>
#include <shared_mutex>

namespace weir::kafka {

class assignment_gate {
public:
  /// For a poll. False: an assignment is going on; then `skipped` is set, and
  /// whoever holds the gate calls back everybody whose flag it finds set.
  bool try_enter(std::atomic<bool>& skipped) {
    for (;;) {
      if (waiting_.load() == 0 && mutex_.try_lock_shared())
        return true;
      skipped.store(true);
      // Set before the assignment ended: it will see the flag. Otherwise it may
      // have looked already, and the gate is open.
      if (waiting_.load() != 0)
        return false;
      skipped.store(false);
    }
  }
  void leave() { mutex_.unlock_shared(); }

  /// For an assignment. After `unlock` look at the flags.
  void lock() {
    waiting_.fetch_add(1);
    mutex_.lock();
  }
  void unlock() {
    mutex_.unlock();
    waiting_.fetch_sub(1);
  }

private:
  std::atomic<int> waiting_{0};
  std::shared_mutex mutex_;
};

} // namespace weir::kafka
