#include "actors/commands/process_end.hpp"

#include <cerrno>
#include <cstdio>

#include <pthread.h>
#include <unistd.h>

#include "runtime/base/log.hpp"

namespace weir {

process_end::process_end(std::string what, milliseconds limit)
    : what_(std::move(what)), limit_(limit) {
  sigemptyset(&set_);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGINT);
  sigaddset(&set_, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  thread_ = std::thread{[this] {
    pthread_setname_np(pthread_self(), "weir-signals");
    run();
  }};
}

process_end::~process_end() {
  {
    std::lock_guard guard{mutex_};
    over_ = true;
  }
  wake();
  thread_.join();
}

void process_end::on_signal(std::function<void(const char*)> stop) {
  std::lock_guard guard{mutex_};
  stop_ = std::move(stop);
  if (asked_ != nullptr)
    stop_(asked_);
}

void process_end::begin() {
  {
    std::lock_guard guard{mutex_};
    if (deadline_)
      return;
    deadline_ = clock::now() + limit_;
  }
  wake();
}

void process_end::waits_for(std::string left) {
  std::lock_guard guard{mutex_};
  left_ = std::move(left);
}

void process_end::done(int code, milliseconds limit) {
  {
    std::lock_guard guard{mutex_};
    code_ = code;
    done_ = true;
    auto soon = clock::now() + limit;
    deadline_ = deadline_ ? std::min(*deadline_, soon) : soon;
  }
  wake();
}

void process_end::wake() {
  pthread_kill(thread_.native_handle(), SIGUSR2);
}

void process_end::run() {
  for (;;) {
    int signal = 0;
    if (auto until = deadline()) {
      auto left = std::chrono::ceil<milliseconds>(*until - clock::now());
      if (left.count() <= 0)
        end_now();
      timespec wait{left.count() / 1'000, left.count() % 1'000 * 1'000'000};
      signal = sigtimedwait(&set_, nullptr, &wait);
    } else {
      signal = sigwaitinfo(&set_, nullptr);
    }
    // Otherwise the time is over, or it was interrupted.
    if (signal > 0 && handle(signal))
      return;
  }
}

std::optional<process_end::clock::time_point> process_end::deadline() {
  std::lock_guard guard{mutex_};
  return deadline_;
}

bool process_end::handle(int signal) {
  if (signal == SIGUSR2) {
    std::lock_guard guard{mutex_};
    return over_;
  }
  std::lock_guard guard{mutex_};
  if (asked_ != nullptr)
    _exit(128 + signal);
  asked_ = signal == SIGTERM ? "SIGTERM" : "SIGINT";
  if (!deadline_)
    deadline_ = clock::now() + limit_;
  if (stop_)
    stop_(asked_);
  return false;
}

void process_end::end_now() {
  // Whoever reads our output may hang as well: SIGALRM is deadly.
  alarm(1);
  std::string left;
  int code = 1;
  {
    std::lock_guard guard{mutex_};
    left = left_;
    code = code_;
    if (done_)
      _exit(code);
  }
  std::fprintf(stderr,
               "weir: %s: not stopped within %lld ms, it waited for %s; the "
               "process ends as in a crash: what was not committed will be "
               "processed again\n",
               what_.c_str(), static_cast<long long>(limit_.count()),
               left.c_str());
  log_error("run.stop_limit", "left", left);
  _exit(code);
}

} // namespace weir
