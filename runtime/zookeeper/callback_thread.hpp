// The thread on which a session's callbacks run, with a timer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace weir::zk {

/// Owned by one session; thread-safe. Everything that the user of a session
/// sees runs here, one job at a time and in order: replies (copied out of the
/// client's completion thread, which a slow callback then cannot stall), events
/// and errors that no server was needed for.
class callback_thread {
public:
  callback_thread();
  callback_thread(const callback_thread&) = delete;
  callback_thread& operator=(const callback_thread&) = delete;
  ~callback_thread() { stop(); }

  /// Dropped once the thread has ended.
  void post(std::function<void()> job);
  /// Calls `tick` each `interval` from now on, late rather than twice.
  void every(std::chrono::milliseconds interval, std::function<void()> tick);
  bool is_current() const noexcept;
  /// [blocking] Ends the timer, runs every job, also those that jobs post, and
  /// ends the thread.
  void stop();

private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::function<void()> tick_;
  std::chrono::milliseconds interval_{0};
  std::chrono::steady_clock::time_point next_tick_;
  bool stopping_ = false;
  bool ended_ = false;
  std::thread thread_;
};

} // namespace weir::zk
