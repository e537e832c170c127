// An executor whose jobs are steps of the simulation.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "runtime/executor.hpp"
#include "test/simulation/sim_world.hpp"

namespace weir::sim {

/// Stands for `width` threads: any of the first `width` jobs may be the next to
/// have happened. With a delay it stands for a slow network: a job is due only
/// after it. One thread; owned by a life.
class sim_executor final : public executor {
public:
  using nanoseconds = std::chrono::nanoseconds;

  sim_executor(std::string name, std::size_t width, const virtual_time& time,
               std::function<nanoseconds()> delay = {})
      : name_(std::move(name)), width_(width), time_(time),
        delay_(std::move(delay)) {}

  void post(job_options how, std::function<void()> job) override {
    if (stopped_)
      return;
    auto due = time_.now + (delay_ ? delay_() : nanoseconds{0});
    // In order all the same.
    if (!jobs_.empty())
      due = std::max(due, jobs_.back().due);
    jobs_.push_back({std::move(how), std::move(job), due});
  }

  void stop() override {
    stopped_ = true;
    while (!jobs_.empty())
      run(0);
  }

  /// How many jobs the next step can choose from.
  std::size_t runnable() const noexcept {
    std::size_t out = 0;
    while (out < std::min(width_, jobs_.size()) && jobs_[out].due <= time_.now)
      ++out;
    return out;
  }

  /// When there is something to do; never = the largest time.
  nanoseconds next_due() const noexcept {
    return jobs_.empty() ? nanoseconds::max() : jobs_.front().due;
  }

  void run(std::size_t index) {
    auto at = jobs_.begin() + static_cast<std::ptrdiff_t>(index);
    auto next = std::move(*at);
    jobs_.erase(at);
    run_job(next.how, std::move(next.job));
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

  std::string name_;
  std::size_t width_;
  const virtual_time& time_;
  std::function<nanoseconds()> delay_;
  std::deque<entry> jobs_;
  bool stopped_ = false;
};

} // namespace weir::sim
