// Where blocking calls run: a few named threads of our own, never an actor.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace weir {

/// Runs jobs that may block. A job answers by sending a message to the actor
/// that wanted it. The simulation has an executor that runs each job as one
/// step of its single thread.
class executor {
public:
  virtual ~executor() = default;

  /// Takes a job; thread-safe, does not block. Jobs start in order. After
  /// `stop` a job is dropped.
  virtual void post(std::function<void()> job) = 0;

  /// Waits for the jobs taken so far, then ends the threads. [blocking]
  virtual void stop() = 0;
};

/// `threads` threads named "<name>-0", … (at most 15 characters are visible).
std::unique_ptr<executor> make_thread_executor(std::string name, int threads);

} // namespace weir
