#include "runtime/base/executor_watch.hpp"

#include <pthread.h>

#include "runtime/base/log.hpp"

namespace weir {

executor_watch::executor_watch(
    int most, std::function<void(const std::string&)> on_too_many,
    std::chrono::milliseconds period)
    : most_(most), on_too_many_(std::move(on_too_many)), period_(period),
      thread_([this, log = current_log()] {
        log_scope scope{log};
        pthread_setname_np(pthread_self(), "weir-watch");
        run();
      }) {}

executor_watch::~executor_watch() {
  {
    std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void executor_watch::add(std::weak_ptr<watched> x) {
  std::lock_guard guard{mutex_};
  std::erase_if(all_, [](auto& each) { return each.expired(); });
  all_.push_back(std::move(x));
}

int executor_watch::written_off() const {
  std::lock_guard guard{mutex_};
  return written_off_;
}

void executor_watch::run() {
  std::unique_lock guard{mutex_};
  while (!wake_.wait_for(guard, period_, [this] { return stopping_; })) {
    guard.unlock();
    look();
    guard.lock();
  }
}

void executor_watch::look() {
  std::vector<std::weak_ptr<watched>> all;
  {
    std::lock_guard guard{mutex_};
    all = all_;
  }
  for (auto& each : all) {
    auto one = each.lock();
    if (!one)
      continue;
    for (auto& job : one->write_off(clock::now())) {
      log_error("executor.stuck", "job", job, "what",
                "its thread is written off and replaced");
      bool too_many = false;
      {
        std::lock_guard guard{mutex_};
        too_many = ++written_off_ == most_ + 1;
      }
      if (too_many && on_too_many_)
        on_too_many_(job);
    }
  }
}

} // namespace weir
