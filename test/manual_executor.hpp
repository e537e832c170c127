// An executor in the hands of a test.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "runtime/base/executor.hpp"

namespace weir::test {

/// Runs a job only when told to, as the simulation does.
class manual_executor final : public executor {
public:
  void post(job_options how, std::function<void()> job) override {
    jobs_.push_back([how = std::move(how), job = std::move(job)]() mutable {
      run_job(how, std::move(job));
    });
  }
  void stop() override { jobs_.clear(); }
  bool step() {
    if (jobs_.empty())
      return false;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
    return true;
  }
  void run() {
    while (step())
      ;
  }

private:
  std::deque<std::function<void()>> jobs_;
};

} // namespace weir::test
