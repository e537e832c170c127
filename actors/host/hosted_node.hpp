// A node with all that it runs on: what `weir::node` and the command `run` are
// shells of.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/host/topic_io.hpp"
#include "actors/node/node.hpp"

namespace weir {
class task_core;
} // namespace weir

namespace weir::detail {

/// What the owner of a node wants to hear of it; see `node_options`.
struct node_hooks {
  std::function<void(const node_progress&)> on_progress;
  std::function<void(const std::string& left)> on_stopping;
  /// On the thread of `wait`: the node has ended, its threads have not.
  std::function<void(const node_report&)> on_end;
  std::function<void(const std::string& job)> on_too_many_stuck;
  /// Null = the process's.
  node_log log;
};

/// Thread-safe but for `start` and `close`.
class hosted_node : public std::enable_shared_from_this<hosted_node> {
public:
  /// `host`: null = an actor system of its own.
  hosted_node(weir::job of, task_factory task, settings how, node_hooks hooks,
              caf::actor_system* host);
  /// What has not ended by then is abandoned.
  ~hosted_node();
  hosted_node(const hosted_node&) = delete;
  hosted_node& operator=(const hosted_node&) = delete;

  /// [blocking] Opens the outside, tries the task, begins to join.
  /// Errors: `bad_argument`, `locked`, `io_error`; nothing runs then.
  result<void> start();
  /// [blocking] Until it has joined. Errors: why it ended before.
  result<void> wait_joined();
  void stop(const std::string& reason);
  /// The same, as a failure.
  void fail_with(const error& why);
  /// [blocking] Until it has ended, and then its actors.
  const node_report& wait();
  /// [blocking] The rest, for `patience` at most: names of calls that do not
  /// come back, whose threads go on.
  std::vector<std::string> close(milliseconds patience);

  /// [blocking] Calls `look` in the task between two of its records.
  /// Errors: `elsewhere`, `timed_out`, `closed`.
  result<void> look_at(int partition, duration patience,
                       std::function<void(task_core&)> look);
  result<void> drain(duration patience);
  node_status status() const;
  caf::actor proxy_of(int partition);
  int partitions() const;

  caf::actor_system& system() noexcept { return *system_; }
  const weir::job& description() const noexcept { return job_; }
  const std::shared_ptr<topic_io>& io() const noexcept { return io_; }

private:
  /// What an abandoned node leaves to the process.
  struct parts;

  void abandon(const std::string& left);

  weir::job job_;
  task_factory factory_;
  settings settings_;
  node_hooks hooks_;
  std::unique_ptr<parts> parts_;
  caf::actor_system* system_ = nullptr;
  std::shared_ptr<topic_io> io_;
  std::mutex proxies_mutex_;
  std::map<int, caf::actor> proxies_;
  /// Of `wait` and `close`.
  std::mutex end_mutex_;
  bool waited_ = false;
  /// Nothing runs.
  bool closed_ = true;
  node_report report_;
};

} // namespace weir::detail
