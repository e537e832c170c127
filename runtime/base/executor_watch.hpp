// Threads whose job does not come back: noticed, written off, replaced.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir {

/// Looks at the threads of a process's executors from a thread of its own.
class executor_watch {
public:
  using clock = std::chrono::steady_clock;

  /// What an executor lets the watch do.
  class watched {
  public:
    virtual ~watched() = default;
    /// Replaces each thread that is over three times its job's deadline and
    /// answers the names of those jobs.
    virtual std::vector<std::string> write_off(clock::time_point now) = 0;
  };

  /// `on_too_many` is called once, on the watch's thread, when more than `most`
  /// threads were written off: the process should end.
  executor_watch(int most,
                 std::function<void(const std::string& job)> on_too_many,
                 std::chrono::milliseconds period = std::chrono::seconds{1});
  ~executor_watch();
  executor_watch(const executor_watch&) = delete;
  executor_watch& operator=(const executor_watch&) = delete;

  void add(std::weak_ptr<watched> x);
  int written_off() const;

private:
  void run();
  void look();

  const int most_;
  const std::function<void(const std::string&)> on_too_many_;
  const std::chrono::milliseconds period_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::weak_ptr<watched>> all_;
  int written_off_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace weir
