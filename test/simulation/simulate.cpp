// Runs one scenario, or all crashes of one, from the command line.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "test/simulation/sweep.hpp"

using namespace weir::sim;

namespace {

int report(const scenario& what, const outcome& got) {
  std::printf("%zu problems, %llu steps, %llu file operations, %d lives, "
              "%llu commits, trace %016llx\n",
              got.problems.size(), static_cast<unsigned long long>(got.steps),
              static_cast<unsigned long long>(got.operations), got.lives,
              static_cast<unsigned long long>(got.commits),
              static_cast<unsigned long long>(got.trace_hash));
  for (auto& each : got.problems)
    std::printf("  %s\n", each.c_str());
  if (!got.problems.empty())
    std::printf("again: %s\n", replay_command(what).c_str());
  return got.problems.empty() ? 0 : 1;
}

int report(const sweep_result& got) {
  std::printf("%llu runs, %zu of them wrong\n",
              static_cast<unsigned long long>(got.runs), got.failures.size());
  for (auto& each : got.failures)
    std::printf("%s\n", each.c_str());
  return got.failures.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs a whole node in one thread on virtual time; the same "
               "options give the same run."};
  scenario what;
  std::map<std::string, weir::guarantee> promises{
      {"exactly-once", weir::guarantee::exactly_once},
      {"at-least-once", weir::guarantee::at_least_once}};
  std::map<std::string, crash_kind> kinds{{"process", crash_kind::process},
                                          {"power", crash_kind::power}};
  std::map<std::string, workload_kind> loads{{"plain", workload_kind::plain},
                                             {"mixed", workload_kind::mixed}};
  bool all = false;
  bool print = false;
  int seeds = 1;
  std::uint64_t operation = 0;
  app.add_option("--seed", what.seed, "seed of everything (1)");
  app.add_option("--guarantee", what.promise)
      ->transform(CLI::CheckedTransformer(promises));
  app.add_option("--kind", what.kind, "of the crashes")
      ->transform(CLI::CheckedTransformer(kinds));
  app.add_option("--load", what.load)
      ->transform(CLI::CheckedTransformer(loads));
  app.add_option("--crash-at", what.crash_after,
                 "crash after this step; again "
                 "for more crashes");
  app.add_option("--crash-in", operation, "crash within this file operation");
  app.add_option("--retire", what.faults.retire, "percent of the commits");
  app.add_option("--lost-commit", what.faults.lost_commit,
                 "percent of the commits");
  app.add_option("--full", what.faults.full, "percent of the sends");
  app.add_option("--no-offset", what.faults.no_offset,
                 "percent of the acknowledgements");
  app.add_flag("--lose-databases", what.lose_databases,
               "delete the tasks' databases at each crash");
  app.add_option("--fence-blocked", what.faults.fence_blocked,
                 "percent of the fences");
  app.add_option("--silent-polls", what.faults.silent_polls,
                 "of each changelog reader: as behind a hanging transaction");
  app.add_option("--broken-network", what.broken_network,
                 "percent of the steps: connections to the coordination "
                 "service break");
  app.add_option("--wrong", what.wrong,
                 "what the code of task 1 does in the first life; needs "
                 "--load mixed")
      ->transform(CLI::CheckedTransformer(std::map<std::string, poison>{
          {"throws", poison::throws_at_a_record},
          {"constructor", poison::cannot_be_constructed}}));
  app.add_option("--live-config", what.live_config,
                 "content of the job's config node");
  app.add_flag("--old-claims", what.old_claims,
               "set the claims' epochs back at each crash");
  app.add_flag("--trace", print, "print every step, log event and operation");
  app.add_flag("--all", all,
               "crash after every step and in every file operation, in both "
               "guarantees, both kinds and both loads");
  app.add_option("--seeds", seeds, "with --all: so many seeds");
  CLI11_PARSE(app, argc, argv);
  if (operation > 0)
    what.crash_in_operation = operation;
  if (!all) {
    auto line = [](char kind, std::string_view text) {
      std::printf("%c %.*s\n", kind, static_cast<int>(text.size()),
                  text.data());
    };
    return report(what, print ? simulate(what, line) : simulate(what));
  }
  int worst = 0;
  auto first = what.seed;
  for (auto& base : every_combination(what))
    for (int i = 0; i < seeds; ++i) {
      auto each = base;
      each.seed = first + static_cast<std::uint64_t>(i);
      std::printf("%s\n", replay_command(each).c_str());
      worst |= report(crash_after_every_step(each));
      worst |= report(crash_in_every_operation(each));
      worst |= report(crash_twice(each, 200));
    }
  return worst;
}
