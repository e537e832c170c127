// Two nodes on one log and one coordination service: each dies, stands still or
// loses its session alone, and what they leave is as exact as one node's.
#include <array>
#include <cstdio>
#include <set>

#include <catch2/catch.hpp>

#include "test/simulation/sweep.hpp"

using namespace weir;
using namespace weir::sim;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t slowness = 12;
#else
constexpr std::uint64_t slowness = 1;
#endif

using what = node_fault::what;

scenario two_nodes(std::uint64_t seed = 1) {
  scenario out;
  out.seed = seed;
  out.nodes = 2;
  return out;
}

void require_exact(const scenario& of, const outcome& got) {
  INFO("again: " << replay_command(of));
  CHECK(got.problems == std::vector<std::string>{});
  if (!got.problems.empty())
    WARN("its end:\n" << got.tail);
}

/// Faults of one or both nodes, drawn from the seed.
void add_faults(scenario& to, int count) {
  sim_random random{to.seed ^ 0x2d0d};
  std::uint64_t after = 40;
  for (int i = 0; i < count; ++i) {
    node_fault x;
    x.kind = std::array{what::crash, what::pause, what::cut}[random.below(3)];
    x.node = static_cast<int>(random.below(2));
    x.after = after += 1 + random.below(400);
    // Below the session's length, about it, and above.
    x.lasts = std::chrono::milliseconds{1 + random.below(16'000)};
    to.node_faults.push_back(x);
  }
}

} // namespace

TEST_CASE("two nodes without a fault are exact") {
  for (auto& base : every_combination(two_nodes()))
    for (bool one_host : {false, true}) {
      auto each = base;
      each.one_host = one_host;
      auto got = simulate(each);
      require_exact(each, got);
      CHECK(got.commits >= 4);
    }
}

TEST_CASE("two nodes: a seed is a run, and its command says all of it") {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed : {11, 12, 13}) {
    auto of = two_nodes(seed);
    of.load = workload_kind::mixed;
    of.kind = crash_kind::power;
    of.broken_network = 1;
    add_faults(of, 3);
    auto first = simulate(of);
    auto second = simulate(of);
    require_exact(of, first);
    CHECK(first.trace_hash == second.trace_hash);
    hashes.insert(first.trace_hash);
  }
  CHECK(hashes.size() == 3);
}

TEST_CASE("two nodes: one dies after a step, and the other goes on") {
  std::uint64_t runs = 0;
  for (auto& base : every_combination(two_nodes()))
    for (int node : {0, 1}) {
      auto whole = simulate(base);
      for (std::uint64_t at = 1 + runs % 11; at <= whole.steps;
           at += 11 * slowness) {
        auto each = base;
        each.node_faults = {{what::crash, node, at, milliseconds{3'000}}};
        each.one_host = at % 2 == 0;
        require_exact(each, simulate(each));
        ++runs;
      }
    }
  std::printf("one of two nodes dies: %llu runs\n",
              static_cast<unsigned long long>(runs));
}

TEST_CASE("two nodes: a task is claimed and let go before it is restored") {
  // Whose database counts is then not said by the claim.
  auto of = two_nodes(2);
  of.crash_after = {1'109};
  require_exact(of, simulate(of));
  for (auto& base : every_combination(two_nodes(3))) {
    auto got = crash_after_every_step(base, 43 * slowness);
    CHECK(got.failures == std::vector<std::string>{});
    CHECK(got.runs > 20 / slowness);
  }
}

TEST_CASE("two nodes: one dies within a file operation of its own") {
  for (auto& base : every_combination(two_nodes())) {
    auto got = crash_in_every_operation(base, 7 * slowness);
    CHECK(got.failures == std::vector<std::string>{});
    CHECK(got.runs > 10 / slowness);
  }
}

TEST_CASE("two nodes: one stands still for longer than its session") {
  std::uint64_t runs = 0;
  for (auto& base : every_combination(two_nodes()))
    if (base.kind == crash_kind::process)
      for (std::uint64_t seed = 1; seed <= 40 / slowness; ++seed) {
        auto each = base;
        each.seed = seed;
        each.node_faults = {{what::pause, static_cast<int>(seed % 2),
                             60 + seed * 13, milliseconds{12'000}}};
        require_exact(each, simulate(each));
        ++runs;
      }
  std::printf("one of two nodes stands still: %llu runs\n",
              static_cast<unsigned long long>(runs));
}

TEST_CASE("two nodes: all kinds of faults, one after the other") {
  for (auto& base : every_combination(two_nodes()))
    for (std::uint64_t seed = 101; seed <= 100 + 40 / slowness; ++seed) {
      auto each = base;
      each.seed = seed;
      add_faults(each, 3);
      each.broken_network = seed % 3 == 0 ? 1 : 0;
      each.faults.lost_commit = seed % 4 == 0 ? 10 : 0;
      each.faults.retire = seed % 2 == 0 ? 20 : 0;
      each.lose_databases = seed % 5 == 0;
      require_exact(each, simulate(each));
    }
}
