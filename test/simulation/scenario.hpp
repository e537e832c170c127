// One simulated run as a value, and as the command that runs it again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/base/node_context.hpp"
#include "actors/base/scheduling.hpp"
#include "test/simulation/planned_failures.hpp"
#include "test/simulation/sim_streams.hpp"
#include "test/simulation/workload.hpp"
#include "weir/error.hpp"

namespace weir::sim {

enum class crash_kind { process, power };

/// What happens to one node while the others go on.
struct node_fault {
  enum class what {
    /// Its process dies; a new one starts after `lasts`, or never.
    crash,
    /// Its process stands still, as after SIGSTOP.
    pause,
    /// Its connection to the coordination service is gone.
    cut,
    /// Its disk has no room for more than a few bytes at a time.
    full,
  };

  what kind = what::crash;
  int node = 0;
  /// After this step of the whole run, counted from 1.
  std::uint64_t after = 1;
  /// 0 = until the end of the life (a pause or cut: not allowed).
  std::chrono::milliseconds lasts{0};
};

/// "crash:0@120+3000": node 0, after step 120, for 3,000 ms.
std::string to_string(const node_fault& x);
/// Errors: `bad_argument`.
result<node_fault> parse_node_fault(const std::string& text);

/// Jobs of executors that take long, as calls into a server that hangs.
struct slow_jobs {
  /// Start of the executor's name.
  std::string executor;
  /// Of its jobs.
  unsigned percent = 0;
  /// 0 = for ever.
  std::chrono::milliseconds lasts{0};
};

/// "weir-commit:10+30000"
std::string to_string(const slow_jobs& x);
/// Errors: `bad_argument`.
result<slow_jobs> parse_slow_jobs(const std::string& text);

/// One run, wholly determined by its values.
struct scenario {
  /// With an even one a task's turns are steps of their own, with an odd one
  /// those of a stretch are one step.
  std::uint64_t seed = 1;
  guarantee promise = guarantee::exactly_once;
  workload_kind load = workload_kind::plain;
  /// Nodes side by side, each with its own disk, session and executors; with
  /// more than one the log and the coordination service have a disk of theirs.
  int nodes = 1;
  /// The nodes are processes of one host: each other's death shows in the
  /// process table (rule C5), else by the session only.
  bool one_host = false;
  /// Of this life and all later ones; ascending in `after`.
  std::vector<node_fault> node_faults;
  /// Messages that an actor handles in one step, at most.
  std::size_t throughput = scheduler_throughput;
  stream_faults faults;
  /// Of node calls, in tests only: no command runs these again.
  std::vector<planned_failure> failures;
  /// The first whose name fits counts.
  std::vector<slow_jobs> slow;
  /// Chance in percent that the connection to the coordination service breaks
  /// after a step.
  unsigned broken_network = 0;
  stream_lie lie = stream_lie::none;
  crash_kind kind = crash_kind::process;
  /// All machines crash after these steps, counted over the whole run from 1;
  /// ascending.
  std::vector<std::uint64_t> crash_after;
  /// Crashes within this file operation, counted from the first of node 0's
  /// disk: with several nodes, that node alone.
  std::optional<std::uint64_t> crash_in_operation;
  /// Deletes a node's databases at each of its crashes.
  bool lose_databases = false;
  /// When the first life has ended, what it was given of the first input's
  /// partition 1 is deleted, as by retention: read or not.
  bool lose_input = false;
  /// At each crash of all the claims lose their epochs, as when the
  /// coordination service is restored from a backup (rule C4).
  bool old_claims = false;
  /// Wrong code in task 1: in the first life, which ends of it, or, if it is
  /// only slow or `word` mends nothing, in all.
  poison wrong = poison::none;
  /// What the operator decides about each task that is parked.
  parked_decision word = parked_decision::resume;
  /// Called before every handler of every actor; a node that it ends by
  /// throwing is followed by another.
  handler_probe probe;
  /// The content of the job's config node, set before the first life.
  std::string live_config;
};

inline constexpr std::pair<const char*, poison> poison_names[] = {
    {"throws", poison::throws_at_a_record},
    {"constructor", poison::cannot_be_constructed},
    {"slow", poison::slow_at_a_record},
};

inline constexpr std::pair<const char*, parked_decision> word_names[] = {
    {"resume", parked_decision::resume},
    {"skip", parked_decision::skip},
    {"dead-letter", parked_decision::dead_letter},
};

inline constexpr std::pair<const char*, stream_lie> lie_names[] = {
    {"no-fence", stream_lie::no_fence},
    {"early-target", stream_lie::early_target},
    {"no-commit", stream_lie::no_commit},
    {"hidden-failure", stream_lie::hidden_failure},
};

/// The command that runs this scenario again.
std::string replay_command(const scenario& what);

} // namespace weir::sim
