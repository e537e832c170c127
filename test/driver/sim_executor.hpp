// An executor whose jobs are steps of the simulation.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "runtime/base/executor.hpp"
#include "test/driver/virtual_time.hpp"

namespace weir::sim {

/// Stands for `width` threads: any of the first `width` jobs may be the next to
/// have happened. `takes` says how long a job is at work before it has
/// happened: a call over a slow network, or one that hangs (never = the largest
/// time). One thread; owned by a life or a node of it.
class sim_executor final : public executor {
public:
  using nanoseconds = std::chrono::nanoseconds;
  static constexpr nanoseconds never = nanoseconds::max();

  sim_executor(std::string name, std::size_t width, const virtual_time& time,
               std::function<nanoseconds()> takes = {})
      : name_(std::move(name)), width_(width), time_(time),
        takes_(std::move(takes)) {}

  void post(job_options how, std::function<void()> job) override {
    if (stopped_)
      return;
    auto lasts = takes_ ? takes_() : nanoseconds{0};
    auto due = lasts == never ? never : time_.now + lasts;
    jobs_.push_back({std::move(how), std::move(job), due});
  }

  void stop() override {
    stopped_ = true;
    while (!jobs_.empty())
      run_taken(jobs_.begin());
  }

  /// How many jobs the next step can choose from.
  std::size_t runnable() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(jobs_.begin(), threads_end(),
                      [this](auto& each) { return each.due <= time_.now; }));
  }

  /// When there is something to do; never = the largest time.
  nanoseconds next_due() const noexcept {
    auto next = never;
    for (auto i = jobs_.begin(); i != threads_end(); ++i)
      next = std::min(next, i->due);
    return next;
  }

  /// Runs one of those that `runnable` counts.
  void run(std::size_t index) {
    for (auto i = jobs_.begin(); i != threads_end(); ++i)
      if (i->due <= time_.now && index-- == 0)
        return run_taken(i);
  }

  /// The process is dead: what was posted never happens.
  void kill() {
    stopped_ = true;
    // What a job holds may post when it is destroyed.
    auto dropped = std::exchange(jobs_, {});
  }

  const std::string& name() const noexcept { return name_; }

private:
  struct entry {
    job_options how;
    std::function<void()> job;
    nanoseconds due;
  };
  using entries = std::deque<entry>;

  /// Behind the jobs that have a thread.
  entries::const_iterator threads_end() const noexcept {
    return jobs_.begin() +
           static_cast<std::ptrdiff_t>(std::min(width_, jobs_.size()));
  }
  void run_taken(entries::const_iterator at) {
    auto index = at - jobs_.begin();
    auto next = std::move(jobs_[static_cast<std::size_t>(index)]);
    jobs_.erase(at);
    run_job(next.how, std::move(next.job));
  }

  std::string name_;
  std::size_t width_;
  const virtual_time& time_;
  std::function<nanoseconds()> takes_;
  entries jobs_;
  bool stopped_ = false;
};

} // namespace weir::sim
