#include "runtime/base/executor.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "runtime/base/executor_watch.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

using clock = executor_watch::clock;

/// The threads and their queue. Each thread shares it: one that was given up
/// may come back long after its executor is gone.
class thread_crew final : public executor_watch::watched,
                          public std::enable_shared_from_this<thread_crew> {
public:
  explicit thread_crew(std::string name)
      : name_(std::move(name)), log_(current_log()) {}

  void start(int threads) {
    std::lock_guard guard{mutex_};
    for (int i = 0; i < threads; ++i)
      add_thread();
  }

  void post(job_options how, std::function<void()> job) {
    {
      std::lock_guard guard{mutex_};
      if (stopping_)
        return;
      jobs_.push_back({std::move(how), std::move(job)});
    }
    wake_.notify_one();
  }

  std::vector<std::string>
  stop(std::optional<std::chrono::milliseconds> limit) {
    std::unique_lock guard{mutex_};
    stopping_ = true;
    wake_.notify_all();
    auto over = [this] { return count_at_work() == 0; };
    if (limit)
      ended_.wait_for(guard, *limit, over);
    else
      ended_.wait(guard, over);
    std::vector<std::string> left;
    std::vector<std::thread> done;
    for (auto& each : workers_) {
      if (each->ended) {
        done.push_back(std::move(each->thread));
        continue;
      }
      left.push_back(each->job.name);
      each->lost = true;
      each->thread.detach();
    }
    workers_.clear();
    for (auto& each : jobs_)
      left.push_back(each.how.name);
    guard.unlock();
    for (auto& each : done)
      each.join();
    return left;
  }

  std::vector<std::string> write_off(clock::time_point now) override {
    std::lock_guard guard{mutex_};
    std::vector<std::string> out;
    for (auto& each : workers_)
      if (each->busy && now - each->since > 3 * each->job.deadline) {
        out.push_back(each->job.name);
        each->lost = true;
        each->thread.detach();
      }
    std::erase_if(workers_, [](auto& each) { return each->lost; });
    // Also while stopping: the jobs behind it are waited for.
    for (std::size_t i = 0; i < out.size(); ++i)
      add_thread();
    ended_.notify_all();
    return out;
  }

private:
  struct entry {
    job_options how;
    std::function<void()> run;
  };
  struct worker {
    std::thread thread;
    bool busy = false;
    job_options job{""};
    clock::time_point since;
    /// Written off: takes no other job.
    bool lost = false;
    bool ended = false;
  };

  void add_thread() {
    auto made = std::make_shared<worker>();
    workers_.push_back(made);
    auto label = name_ + "-" + std::to_string(next_++);
    made->thread = std::thread{[self = shared_from_this(), made, label] {
      pthread_setname_np(pthread_self(), label.substr(0, 15).c_str());
      // A copy: the thread may outlive all that it works for.
      auto log = self->log_;
      log_scope scope{log};
      self->work(*made);
    }};
  }

  std::size_t count_at_work() const {
    return static_cast<std::size_t>(
        std::count_if(workers_.begin(), workers_.end(),
                      [](auto& each) { return !each->ended; }));
  }

  void work(worker& me) {
    std::unique_lock guard{mutex_};
    while (!me.lost) {
      wake_.wait(guard, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty())
        break;
      auto next = std::move(jobs_.front());
      jobs_.pop_front();
      me.job = next.how;
      me.since = clock::now();
      me.busy = true;
      guard.unlock();
      // The job may hold the last reference to something that blocks in its
      // destructor: it is let go of in there, outside of the lock.
      run_job(next.how, std::move(next.run));
      guard.lock();
      me.busy = false;
    }
    me.ended = true;
    ended_.notify_all();
  }

  const std::string name_;
  const node_log log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<entry> jobs_;
  bool stopping_ = false;
  int next_ = 0;
  std::vector<std::shared_ptr<worker>> workers_;
};

class thread_executor final : public executor {
public:
  thread_executor(std::string name, int threads,
                  std::shared_ptr<executor_watch> watch)
      : crew_(std::make_shared<thread_crew>(std::move(name))),
        watch_(std::move(watch)) {
    crew_->start(threads);
    if (watch_)
      watch_->add(crew_);
  }

  ~thread_executor() override { stop(); }

  void post(job_options how, std::function<void()> job) override {
    crew_->post(std::move(how), std::move(job));
  }
  void stop() override { crew_->stop(std::nullopt); }
  std::vector<std::string>
  stop_within(std::chrono::milliseconds limit) override {
    return crew_->stop(limit);
  }

private:
  std::shared_ptr<thread_crew> crew_;
  std::shared_ptr<executor_watch> watch_;
};

} // namespace

void run_job(const job_options& how, std::function<void()> job) noexcept {
  if (how.token.cancelled())
    return;
  running_job scope{how.token};
  try {
    job();
  } catch (const std::exception& problem) {
    log_error("executor.job_threw", "job", how.name, "what", problem.what());
  } catch (...) {
    log_error("executor.job_threw", "job", how.name);
  }
}

std::unique_ptr<executor>
make_thread_executor(std::string name, int threads,
                     std::shared_ptr<executor_watch> watch) {
  return std::make_unique<thread_executor>(std::move(name), threads,
                                           std::move(watch));
}

} // namespace weir
