#include "runtime/zookeeper/callback_thread.hpp"

#include <pthread.h>

namespace weir::zk {

callback_thread::callback_thread()
    : thread_([this] {
        pthread_setname_np(pthread_self(), "weir-zk");
        run();
      }) {}

void callback_thread::post(std::function<void()> job) {
  {
    std::lock_guard guard{mutex_};
    if (ended_)
      return;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void callback_thread::every(std::chrono::milliseconds interval,
                            std::function<void()> tick) {
  {
    std::lock_guard guard{mutex_};
    interval_ = interval;
    tick_ = std::move(tick);
    next_tick_ = std::chrono::steady_clock::now() + interval;
  }
  wake_.notify_one();
}

bool callback_thread::is_current() const noexcept {
  return std::this_thread::get_id() == thread_.get_id();
}

void callback_thread::stop() {
  {
    std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable())
    thread_.join();
}

void callback_thread::run() {
  std::unique_lock guard{mutex_};
  for (;;) {
    if (!jobs_.empty()) {
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      guard.unlock();
      job();
      // What the job holds is let go of outside of the lock.
      job = nullptr;
      guard.lock();
    } else if (stopping_) {
      ended_ = true;
      return;
    } else if (!tick_) {
      wake_.wait(guard);
    } else if (auto now = std::chrono::steady_clock::now(); now < next_tick_) {
      wake_.wait_until(guard, next_tick_);
    } else {
      next_tick_ = now + interval_;
      auto tick = tick_;
      guard.unlock();
      tick();
      guard.lock();
    }
  }
}

} // namespace weir::zk
