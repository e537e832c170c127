// What outlives a crash: the disks, time, chance, and the trace of the run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "test/driver/file_env.hpp"
#include "test/driver/virtual_time.hpp"
#include "test/simulation/scenario.hpp"
#include "test/simulation/trace.hpp"

namespace weir::sim {

struct machine {
  explicit machine(const scenario& of)
      : plan(of), work(make_workload(of.load, of.seed)),
        disks(of.nodes > 1 ? static_cast<std::size_t>(of.nodes) + 1 : 1),
        schedule(of.seed), ids(of.seed ^ 0x1d5), chance(of.seed ^ 0xfa17),
        accident(of.seed ^ 0xc4a5) {}

  /// The disk of the log and of the coordination service.
  file_env& server_disk() { return disks.front(); }
  file_env& disk_of(int node) {
    return disks[plan.nodes > 1 ? static_cast<std::size_t>(node) + 1 : 0];
  }
  settings settings_of(int node) const {
    auto out = work.make_settings(plan.promise);
    if (plan.nodes > 1)
      out.data_directory += '/' + name_of(node);
    return out;
  }
  std::string host_of(int node) const {
    return plan.nodes > 1 && !plan.one_host ? "host-" + name_of(node) : "host";
  }
  /// "a", "b", …
  static std::string name_of(int node) {
    return std::string(1, static_cast<char>('a' + node));
  }

  /// What a line of the trace begins with.
  std::string tag() const {
    return plan.nodes > 1 && at_work >= 0 ? name_of(at_work) + ": " : "";
  }
  /// How long a job of this executor is at work, as planned; empty = at once.
  std::function<std::chrono::nanoseconds()>
  duration_of(const std::string& executor) {
    for (auto& each : slow)
      if (executor.starts_with(each.executor))
        return [this, each]() -> std::chrono::nanoseconds {
          if (chance.below(100) >= each.percent)
            return std::chrono::nanoseconds{0};
          if (each.lasts.count() == 0)
            return std::chrono::nanoseconds::max();
          return each.lasts;
        };
    return {};
  }
  /// Process or power, as planned.
  void crash_disk(file_env& disk) {
    if (plan.kind == crash_kind::process)
      disk.crash_process();
    else
      disk.crash_power([this] { return accident.bits(); });
  }
  bool any_disk_crashed() const {
    return std::any_of(disks.begin(), disks.end(),
                       [](auto& each) { return each.crashed(); });
  }
  void lose_databases_of(int node) {
    auto files = disk_of(node).current();
    for (int p = 0; p < work.partitions; ++p)
      static_cast<void>(remove_directory(
          *files,
          task_directory(settings_of(node), work.job.name(), p) + "/db"));
  }

  scenario plan;
  workload work;
  std::deque<file_env> disks;
  virtual_time time;
  process_table processes;
  /// Which node a process id was.
  std::map<std::int64_t, int> node_of_process;
  /// The node that restored a task last. Who claimed it last may have let it go
  /// before.
  std::map<int, int> restored_by;
  trace log;
  /// Apart, so that a longer run draws the same numbers at its beginning.
  sim_random schedule;
  sim_random ids;
  sim_random chance;
  sim_random accident;
  /// Of the present life.
  stream_faults faults = plan.faults;
  std::vector<slow_jobs> slow = plan.slow;
  unsigned broken_network = plan.broken_network;
  /// Those still to come.
  std::deque<node_fault> node_faults{plan.node_faults.begin(),
                                     plan.node_faults.end()};
  /// After so many steps connections break no more: what hangs then would hang
  /// for ever.
  std::uint64_t calm_after = 200 + sim_random{plan.seed ^ 0xca1}.below(2'000);
  planned_failures planned{plan.failures};
  stream_history history;
  std::uint64_t steps = 0;
  /// The only node of this life; -1 = all of them.
  int alone = -1;
  /// Whose step it is; -1 = nobody's.
  int at_work = -1;
  /// Processes of this life that were told to stop, and those whose lane failed
  /// after that.
  std::set<int> stopping;
  std::set<int> gave_up_at_stop;
};

} // namespace weir::sim
