// Where blocking calls run: a few named threads of our own, never an actor.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/cancel.hpp"

namespace weir {

/// What is to be known of a job besides what it does.
struct job_options {
  job_options(const char* name, cancel_token token = {})
      : name(name), token(std::move(token)) {}
  job_options(const char* name, std::chrono::milliseconds deadline,
              cancel_token token = {})
      : name(name), deadline(deadline), token(std::move(token)) {}

  /// For the log, and for the list of what a stop had to leave behind.
  /// A literal.
  const char* name;
  /// What it may take; its thread is written off after three times that.
  std::chrono::milliseconds deadline{30'000};
  /// Cancelled before the job starts: the job is dropped. A running one may
  /// look at it (`job_cancelled`).
  cancel_token token;
};

/// Runs jobs that may block. A job answers by sending a message to the actor
/// that wanted it; what it throws is logged and goes no further. The simulation
/// has an executor that runs each job as one step of its single thread.
class executor {
public:
  virtual ~executor() = default;

  /// Takes a job; thread-safe, does not block. Jobs start in order. After
  /// `stop` a job is dropped.
  virtual void post(job_options how, std::function<void()> job) = 0;

  /// Waits for the jobs taken so far, then ends the threads. [blocking]
  virtual void stop() = 0;

  /// The same, but for `limit` at most. The names of the jobs that are left,
  /// running or not; the running ones go on, the others never start. [blocking]
  virtual std::vector<std::string> stop_within(std::chrono::milliseconds) {
    stop();
    return {};
  }
};

/// By what the jobs wait for, so that what hangs delays only its like. The
/// commits have a thread a lane besides (`outside_systems::make_executor`).
struct executors {
  /// Opening, closing and filling databases.
  std::shared_ptr<executor> disk;
  /// Questions to the servers, readers, producers, sessions.
  std::shared_ptr<executor> net;
  /// Producer ids of others that are being ended.
  std::shared_ptr<executor> fence;
  /// Destructors that may block.
  std::shared_ptr<executor> bury;
};

/// What every executor does with a job: drops it, or runs it under its token
/// and keeps what it throws from ending the thread.
void run_job(const job_options& how, std::function<void()> job) noexcept;

class executor_watch;

/// `threads` threads named "<name>-0", … (at most 15 characters are visible).
/// Without a watch no thread is ever written off. The threads log to where the
/// calling thread does.
std::unique_ptr<executor>
make_thread_executor(std::string name, int threads,
                     std::shared_ptr<executor_watch> watch = nullptr);

} // namespace weir
