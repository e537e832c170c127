#include "runtime/executor.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace weir {

namespace {

class thread_executor final : public executor {
public:
  thread_executor(std::string name, int threads) {
    for (int i = 0; i < threads; ++i)
      threads_.emplace_back([this, label = name + "-" + std::to_string(i)] {
        pthread_setname_np(pthread_self(), label.substr(0, 15).c_str());
        run();
      });
  }

  ~thread_executor() override { stop(); }

  void post(std::function<void()> job) override {
    {
      std::lock_guard guard{mutex_};
      if (stopping_)
        return;
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

  void stop() override {
    {
      std::lock_guard guard{mutex_};
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& each : threads_)
      if (each.joinable())
        each.join();
  }

private:
  void run() {
    std::unique_lock guard{mutex_};
    for (;;) {
      wake_.wait(guard, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty())
        return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      guard.unlock();
      job();
      // The job may hold the last reference to something that blocks in its
      // destructor: let go of it outside of the lock.
      job = nullptr;
      guard.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace

std::unique_ptr<executor> make_thread_executor(std::string name, int threads) {
  return std::make_unique<thread_executor>(std::move(name), threads);
}

} // namespace weir
