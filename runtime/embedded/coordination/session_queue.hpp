// The order in which the embedded coordination does things: one at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/base/executor.hpp"

namespace weir {

/// Jobs of several sessions, run one at a time on an executor, each as one job
/// of it: the simulation then decides between any two. Deliveries (answers,
/// events, watches) go before requests, so that everybody has heard of a write
/// before the next request is looked at. Thread-safe, whatever the number of
/// the executor's threads. Owned by the server; its end waits for a running
/// job.
class session_queue {
public:
  /// One session's part in the queue.
  struct channel {
    bool closing = false;
    std::thread::id closer;
    bool finished = false;
  };
  using lane = std::shared_ptr<channel>;
  using job = std::function<void()>;

  explicit session_queue(std::shared_ptr<executor> runner);
  session_queue(const session_queue&) = delete;
  session_queue& operator=(const session_queue&) = delete;
  ~session_queue();

  /// `instead` runs in place of `run` when the session closes; may be empty.
  /// Dropped when the session has closed.
  void post_request(lane of, job run, job instead);
  void post_delivery(lane of, job run, job instead);

  /// Whether a new request of the session is worth to be posted: no longer when
  /// it closes, unless by a job of its own. Who never stops asking could keep
  /// the close from ending.
  bool hears(const lane& of);

  /// [blocking] Waits for the running job if it is the session's, runs
  /// `instead` of each waiting one here and of those that come meanwhile, and
  /// drops what comes later. @pre not in a job of this session.
  void close(const lane& of);

private:
  struct entry {
    lane of;
    job run;
    job instead;
  };

  /// What a job in the executor holds. It must not own the queue: the last
  /// owner ends the executor, which cannot happen in one of its own threads.
  struct gate {
    std::mutex mutex;
    session_queue* queue;
  };

  void post(std::deque<entry>& to, entry x);
  void schedule();
  void step();
  /// The next entry that `wanted` says yes to; empty if there is none.
  template <class Wanted>
  entry take(Wanted wanted);

  const std::shared_ptr<executor> runner_;
  const std::shared_ptr<gate> gate_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<entry> deliveries_;
  std::deque<entry> requests_;
  /// A step is in the executor or running.
  bool scheduled_ = false;
  const channel* running_ = nullptr;
  std::thread::id runner_thread_;
};

} // namespace weir
