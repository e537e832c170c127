// The node survives a crash anywhere, and the checker would see if it did not.
#include <cstdio>
#include <set>

#include <catch2/catch.hpp>

#include "test/simulation/sweep.hpp"

using namespace weir;
using namespace weir::sim;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/// Instrumented code is slow; `weir-simulate --all` does every step there too.
constexpr std::uint64_t slowness = 12;
#else
constexpr std::uint64_t slowness = 1;
#endif

void require_exact(const scenario& what, const outcome& got) {
  INFO("again: " << replay_command(what));
  CHECK(got.problems == std::vector<std::string>{});
  if (!got.problems.empty())
    WARN("its end:\n" << got.tail);
}

void require_exact(const char* kind, const scenario& base,
                   const sweep_result& got) {
  INFO("sweep of: " << replay_command(base));
  CHECK(got.failures == std::vector<std::string>{});
  // One line a sweep, so that a log of the tests says what they covered.
  std::printf("%s: %llu runs over %llu; %s\n", kind,
              static_cast<unsigned long long>(got.runs),
              static_cast<unsigned long long>(got.length),
              replay_command(base).c_str());
}

} // namespace

TEST_CASE("a run without a crash is exact and commits several times") {
  for (auto& each : every_combination({})) {
    auto got = simulate(each);
    require_exact(each, got);
    CHECK(got.commits >= 4);
    CHECK(got.lives >= 2);
  }
}

TEST_CASE("a seed is a run: the same trace again, another for another seed") {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed : {11, 12, 13}) {
    scenario what;
    what.seed = seed;
    what.load = workload_kind::mixed;
    what.kind = crash_kind::power;
    what.crash_after = {150, 420};
    auto first = simulate(what);
    auto second = simulate(what);
    require_exact(what, first);
    CHECK(first.trace_hash == second.trace_hash);
    std::printf("seed %llu: trace %016llx, again %016llx\n",
                static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(first.trace_hash),
                static_cast<unsigned long long>(second.trace_hash));
    hashes.insert(first.trace_hash);
  }
  CHECK(hashes.size() == 3);
}

TEST_CASE("a crash after every step of a small job") {
  // A stretch of turns in one step, and each of them in one of its own.
  scenario base;
  for (base.seed = 1; base.seed <= 2; ++base.seed)
    for (auto& each : every_combination(base))
      if (each.load == workload_kind::plain)
        require_exact("crash after steps", each,
                      crash_after_every_step(each, slowness));
}

TEST_CASE("a crash after every step of a job with timers and bad records") {
  for (auto& each : every_combination({}))
    if (each.load == workload_kind::mixed)
      require_exact("crash after steps", each,
                    crash_after_every_step(each, slowness));
}

TEST_CASE("a crash within every file operation") {
  for (auto& each : every_combination({}))
    if (each.load == workload_kind::plain)
      require_exact("crash within operations", each,
                    crash_in_every_operation(each, slowness));
}

TEST_CASE("a crash while another is recovered from") {
  for (auto& base : every_combination({}))
    for (std::uint64_t seed : {21, 22, 23}) {
      auto each = base;
      each.seed = seed;
      require_exact("two crashes", each,
                    crash_twice(each, static_cast<int>(40 / slowness)));
    }
}

TEST_CASE("a crash that also takes the tasks' databases") {
  scenario base;
  base.lose_databases = true;
  for (auto& each : every_combination(base))
    require_exact("databases lost", each,
                  crash_after_every_step(each, 20 * slowness));
}

TEST_CASE("lost replies of commits, retired ids, full queues, and a crash") {
  for (auto& base : every_combination({}))
    for (std::uint64_t seed = 31; seed < 51; ++seed) {
      auto each = base;
      each.seed = seed;
      each.faults = {
          .retire = 20, .lost_commit = 20, .full = 10, .no_offset = 30};
      each.crash_after = {60 + seed * 7};
      require_exact(each, simulate(each));
    }
}

TEST_CASE("broken connections, lost replies and sessions, and a crash") {
  for (auto& base : every_combination({}))
    for (std::uint64_t seed = 61; seed < 61 + 60 / slowness; ++seed) {
      auto each = base;
      each.seed = seed;
      each.broken_network = 1 + static_cast<unsigned>(seed % 4);
      each.faults.lost_commit = seed % 3 == 0 ? 10 : 0;
      each.faults.retire = seed % 2 == 0 ? 20 : 0;
      each.crash_after = {60 + seed * 7};
      require_exact(each, simulate(each));
    }
}

TEST_CASE("ids that are retired while connections break") {
  scenario what;
  what.load = workload_kind::mixed;
  what.faults.retire = 70;
  for (what.seed = 1; what.seed <= 600 / slowness; ++what.seed) {
    what.broken_network = 2 + static_cast<unsigned>(what.seed % 4);
    require_exact(what, simulate(what));
  }
}

TEST_CASE("the checker sees what a broken rule leaves behind") {
  auto caught = [](stream_lie lie) {
    for (std::uint64_t seed = 1; seed < 80; ++seed) {
      scenario what;
      what.seed = seed;
      what.lie = lie;
      what.faults.lost_commit = 20;
      what.crash_after = {100 + seed * 3};
      auto got = simulate(what);
      if (!got.problems.empty()) {
        std::printf("lie %d, seed %llu: %s\n", static_cast<int>(lie),
                    static_cast<unsigned long long>(seed),
                    got.problems.front().c_str());
        return true;
      }
    }
    return false;
  };
  CHECK(caught(stream_lie::no_fence));
  CHECK(caught(stream_lie::early_target));
  CHECK(caught(stream_lie::no_commit));
  CHECK(caught(stream_lie::hidden_failure));
  CHECK_FALSE(caught(stream_lie::none));
}
