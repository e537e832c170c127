// Runs a scenario to its end and judges what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/base/znodes.hpp"
#include "actors/failure/parked.hpp"
#include "test/simulation/machine.hpp"

namespace weir::sim {

struct outcome {
  /// What is not as it must be; empty = everything is exact.
  std::vector<std::string> problems;
  std::uint64_t steps = 0;
  std::uint64_t operations = 0;
  int lives = 0;
  /// Transactions that were committed with something in them.
  std::uint64_t commits = 0;
  std::uint64_t trace_hash = 0;
  /// The last lines of the trace.
  std::string tail;
};

/// Lives follow each other until one that saw all input has drained it. The
/// same scenario gives the same outcome, trace and all. `print` gets every line
/// of the trace.
outcome simulate(const scenario& what,
                 std::function<void(char, std::string_view)> print = {});

/// How often each cell of the table of failures (H27) was met since the process
/// started, as its log line says it.
std::map<std::string, std::uint64_t>& decisions_met();

/// The claims of all tasks; a missing or bad one is left out. Between two
/// lives.
std::map<int, claim_node> read_claims(machine& on);

/// Sets the epochs of all claims to 0. Between two lives.
void set_claims_back(machine& on);

/// Writes the job's config node, as an operator does. Between two lives.
void write_config(machine& on, const std::string& content);

/// Decides about every parked task, as an operator does. Between two lives.
void decide_parked(machine& on, parked_decision what);
/// The tasks that are parked. Between two lives.
std::map<int, parked_node> read_parked(machine& on);
/// Compares where they are parked with what they have committed; answers the
/// problems. Between two lives.
std::vector<std::string> check_parked(machine& on);

/// Compares committed outputs, dead letters, states, changelogs and claims with
/// the fold of the input. After the last life's end; answers the problems.
std::vector<std::string> check(machine& on);

} // namespace weir::sim
