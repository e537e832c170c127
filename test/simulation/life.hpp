// One life of all machines, from their start to their end or crash.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/leveldb/database.hpp"
#include "test/simulation/feed.hpp"
#include "test/simulation/sim_node.hpp"

namespace weir::sim {

/// The opened systems of the servers, without a node; also for the checker.
struct opened_systems {
  std::shared_ptr<outside_world> world;
  std::shared_ptr<environment> files;
  std::shared_ptr<embedded_database> database;
  std::shared_ptr<stream_system> streams;
};

result<opened_systems> open_systems(machine& on);

/// The nodes under CAF's test scheduler, in one thread, with one log and one
/// coordination service. A step is the handling of messages by one actor, or
/// one job of an executor; which of those that could be next is next, the
/// schedule's random numbers decide.
class life {
public:
  life(machine& on, int number);
  ~life();
  life(const life&) = delete;
  life& operator=(const life&) = delete;

  /// Opens the systems and spawns the nodes. Errors: of the databases; with a
  /// crash of the disk in between they mean that crash.
  result<void> start();
  /// One step; time passes in between, or jumps to where there is one. False:
  /// every node has ended, or nothing will ever happen.
  bool step();
  /// All machines are gone: lets go of everything, without any effect.
  void crash();
  /// An orderly end. Errors: what is left behind that would keep a process
  /// from ending.
  result<void> end();

  /// Of the nodes that live; null = it has not ended.
  std::vector<const node_report*> reports() const;
  /// A node alone has met a fault.
  bool was_disturbed() const noexcept { return disturbed_; }
  /// Whether all input was there when the life began.
  bool saw_all_input() const noexcept { return feed_->was_complete(); }
  /// High watermark of an input; -1 = unknown.
  std::int64_t input_end(const topic_partition& of) const;

private:
  /// One node number and the lives of its process.
  struct place {
    std::unique_ptr<sim_node> node;
    std::optional<std::chrono::nanoseconds> restarts_at;
  };

  std::shared_ptr<sim_executor>
  make_server(std::string name, std::size_t width,
              std::function<std::chrono::nanoseconds()> takes = {});
  void start_node(int number);
  bool is_over() const;
  bool run_one();
  bool run_job(const std::vector<std::shared_ptr<sim_executor>>& of, int node,
               std::size_t& choice);
  void enter(int node);
  bool jump();
  void pass(std::chrono::nanoseconds time);
  void wake_up();
  void disturb();
  void meet(const node_fault& fault);
  void crash_node(int number, std::chrono::milliseconds away);
  void close();

  machine& on_;
  int number_;
  opened_systems systems_;
  sim_servers servers_;
  std::unique_ptr<feed> feed_;
  std::unique_ptr<sim_scheduler> scheduler_;
  std::vector<place> places_;
  /// Dead, but what they held may be held on to by timers.
  std::vector<std::unique_ptr<sim_node>> dead_;
  bool disturbed_ = false;
};

} // namespace weir::sim
