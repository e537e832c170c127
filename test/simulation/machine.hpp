// What outlives a crash: the disk, time, chance, and the trace of the run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stores/file_env.hpp"
#include "test/simulation/sim_streams.hpp"
#include "test/simulation/sim_world.hpp"
#include "test/simulation/trace.hpp"
#include "test/simulation/workload.hpp"

namespace weir::sim {

enum class crash_kind { process, power };

/// One run, wholly determined by its values.
struct scenario {
  std::uint64_t seed = 1;
  guarantee promise = guarantee::exactly_once;
  workload_kind load = workload_kind::plain;
  stream_faults faults;
  /// Chance in percent that the connection to the coordination service breaks
  /// after a step.
  unsigned broken_network = 0;
  stream_lie lie = stream_lie::none;
  crash_kind kind = crash_kind::process;
  /// Crashes after these steps, counted over the whole run from 1; ascending.
  std::vector<std::uint64_t> crash_after;
  /// Crashes within this file operation, counted from the node's first.
  std::optional<std::uint64_t> crash_in_operation;
  /// Deletes the tasks' databases at each crash.
  bool lose_databases = false;
  /// At each crash the claims lose their epochs, as when the coordination
  /// service is restored from a backup (rule C4).
  bool old_claims = false;
  /// Wrong code in task 1, until the first life has ended of it.
  poison wrong = poison::none;
  /// The content of the job's config node, set before the first life.
  std::string live_config;
};

struct machine {
  explicit machine(const scenario& of)
      : plan(of), work(make_workload(of.load, of.seed)), schedule(of.seed),
        ids(of.seed ^ 0x1d5), chance(of.seed ^ 0xfa17),
        accident(of.seed ^ 0xc4a5) {}

  scenario plan;
  workload work;
  file_env disk;
  virtual_time time;
  trace log;
  /// Apart, so that a longer run draws the same numbers at its beginning.
  random_source schedule;
  random_source ids;
  random_source chance;
  random_source accident;
  /// Of the present life.
  stream_faults faults = plan.faults;
  unsigned broken_network = plan.broken_network;
  /// After so many steps connections break no more: what hangs then would hang
  /// for ever.
  std::uint64_t calm_after =
      200 + random_source{plan.seed ^ 0xca1}.below(2'000);
  stream_history history;
  std::uint64_t steps = 0;
  bool stopping = false;
  bool gave_up_at_stop = false;
};

} // namespace weir::sim
