// Runs one scenario, or all crashes of one, from the command line.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "test/simulation/sweep.hpp"

using namespace weir::sim;

namespace {

/// The command line as it is given.
struct arguments {
  scenario what;
  std::uint64_t operation = 0;
  std::vector<std::string> node_faults;
  std::vector<std::string> slow;
  std::string word;
  bool all = false;
  bool print = false;
  int seeds = 1;
};

template <class T>
using by_name = std::map<std::string, T>;

void add_base(CLI::App& app, arguments& to) {
  auto& what = to.what;
  app.add_option("--seed", what.seed, "seed of everything (1)");
  app.add_option("--guarantee", what.promise)
      ->transform(CLI::CheckedTransformer(by_name<weir::guarantee>{
          {"exactly-once", weir::guarantee::exactly_once},
          {"at-least-once", weir::guarantee::at_least_once}}));
  app.add_option("--load", what.load)
      ->transform(CLI::CheckedTransformer(by_name<workload_kind>{
          {"plain", workload_kind::plain}, {"mixed", workload_kind::mixed}}));
  app.add_option("--nodes", what.nodes, "nodes side by side (1)")
      ->check(CLI::Range(1, 9));
  app.add_flag("--one-host", what.one_host,
               "the nodes are processes of one machine");
  app.add_option("--throughput", what.throughput,
                 "messages that an actor handles in a step, at most (1)");
  app.add_option("--live-config", what.live_config,
                 "content of the job's config node");
  app.add_option("--wrong", what.wrong,
                 "what the code of task 1 does; needs --load mixed")
      ->transform(CLI::CheckedTransformer(
          by_name<poison>{std::begin(poison_names), std::end(poison_names)}));
  app.add_option("--word", to.word,
                 "what the operator decides about a parked task (resume)")
      ->check(CLI::IsMember(by_name<weir::parked_decision>{
          std::begin(word_names), std::end(word_names)}));
  app.add_flag("--trace", to.print,
               "print every step, log event and operation");
  app.add_flag("--all", to.all,
               "crash after every step and in every file operation, in both "
               "guarantees, both kinds and both loads");
  app.add_option("--seeds", to.seeds, "so many seeds, one after the other");
}

void add_crashes(CLI::App& app, arguments& to) {
  auto& what = to.what;
  app.add_option("--kind", what.kind, "of the crashes")
      ->transform(CLI::CheckedTransformer(by_name<crash_kind>{
          {"process", crash_kind::process}, {"power", crash_kind::power}}));
  app.add_option("--crash-at", what.crash_after,
                 "all machines crash after this step; again for more crashes");
  app.add_option("--crash-in", to.operation,
                 "crash within this file operation of node 0");
  app.add_option("--node-fault", to.node_faults,
                 "crash, pause, cut or full:NODE@STEP+MS; again for more");
  app.add_flag("--lose-databases", what.lose_databases,
               "delete the tasks' databases at each crash");
  app.add_flag("--lose-input", what.lose_input,
               "delete one partition's records after the first life");
  app.add_flag("--old-claims", what.old_claims,
               "set the claims' epochs back at each crash");
}

void add_faults(CLI::App& app, arguments& to) {
  auto& what = to.what;
  auto& faults = what.faults;
  app.add_option("--retire", faults.retire, "percent of the commits");
  app.add_option("--lost-commit", faults.lost_commit, "percent of the commits");
  app.add_option("--full", faults.full, "percent of the sends");
  app.add_option("--no-offset", faults.no_offset,
                 "percent of the acknowledgements");
  app.add_option("--fence-blocked", faults.fence_blocked,
                 "percent of the fences");
  app.add_option("--silent-polls", faults.silent_polls,
                 "of each changelog reader: as behind a hanging transaction");
  app.add_option("--no-producer", faults.no_producer,
                 "percent of the producers that are opened");
  app.add_option("--no-watermarks", faults.no_watermarks,
                 "percent of the questions for a changelog's end");
  app.add_option("--broken-network", what.broken_network,
                 "percent of the steps: connections to the coordination "
                 "service break");
  app.add_option("--slow", to.slow,
                 "EXECUTOR:PERCENT+MS: jobs of executors whose names start so "
                 "take so long; 0 = for ever");
  app.add_option("--lie", what.lie, "of the log, to show that it is seen")
      ->transform(CLI::CheckedTransformer(
          by_name<stream_lie>{std::begin(lie_names), std::end(lie_names)}));
}

weir::result<void> complete(arguments& x) {
  if (x.operation > 0)
    x.what.crash_in_operation = x.operation;
  for (auto& [name, word] : word_names)
    if (x.word == name)
      x.what.word = word;
  for (auto& each : x.node_faults) {
    auto fault = parse_node_fault(each);
    if (!fault)
      return weir::fail(fault.error());
    x.what.node_faults.push_back(*fault);
  }
  for (auto& each : x.slow) {
    auto jobs = parse_slow_jobs(each);
    if (!jobs)
      return weir::fail(jobs.error());
    x.what.slow.push_back(*jobs);
  }
  return {};
}

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

int run_all(const arguments& x) {
  int worst = 0;
  for (auto& base : every_combination(x.what))
    for (int i = 0; i < x.seeds; ++i) {
      auto each = base;
      each.seed = x.what.seed + static_cast<std::uint64_t>(i);
      std::printf("%s\n", replay_command(each).c_str());
      worst |= report(crash_after_every_step(each));
      worst |= report(crash_in_every_operation(each));
      worst |= report(crash_twice(each, 200));
    }
  return worst;
}

/// Says of each seed that fails why.
int run_seeds(const arguments& x) {
  int wrong = 0;
  for (int i = 0; i < x.seeds; ++i) {
    auto each = x.what;
    each.seed += static_cast<std::uint64_t>(i);
    auto got = simulate(each);
    if (!got.problems.empty())
      wrong += report(each, got);
  }
  std::printf("%d seeds, %d of them wrong\n", x.seeds, wrong);
  return wrong == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs whole nodes in one thread on virtual time; the same "
               "options give the same run."};
  arguments x;
  add_base(app, x);
  add_crashes(app, x);
  add_faults(app, x);
  CLI11_PARSE(app, argc, argv);
  if (auto fine = complete(x); !fine) {
    std::fprintf(stderr, "%s\n", fine.error().text().c_str());
    return 2;
  }
  if (x.all)
    return run_all(x);
  if (x.seeds > 1)
    return run_seeds(x);
  auto line = [](char kind, std::string_view text) {
    std::printf("%c %.*s\n", kind, static_cast<int>(text.size()), text.data());
  };
  return report(x.what, x.print ? simulate(x.what, line) : simulate(x.what));
}
