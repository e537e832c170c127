// Rules of the node that show in what it says and does over time, not only in
// what comes out at the end.
#include <cstdio>
#include <optional>
#include <utility>

#include <catch2/catch.hpp>

#include "test/simulation/simulation.hpp"

using namespace weir;
using namespace weir::sim;

namespace {

/// A run that keeps the log's lines.
struct observed {
  std::vector<std::string> log;
  outcome got;

  explicit observed(const scenario& what)
      : got(simulate(what, [this](char kind, std::string_view text) {
          if (kind == 'l')
            log.emplace_back(text);
        })) {
    INFO("again: " << replay_command(what));
    CHECK(got.problems == std::vector<std::string>{});
    if (!got.problems.empty())
      WARN("its end:\n" << got.tail);
  }

  int count(std::string_view start, std::string_view part = {}) const {
    int out = 0;
    for (auto& line : log)
      out += line.starts_with(start) && line.find(part) != line.npos ? 1 : 0;
    return out;
  }
};

} // namespace

TEST_CASE("L8, H28: a task that always fails leaves the lane, then is parked") {
  auto promise = GENERATE(guarantee::exactly_once, guarantee::at_least_once);
  for (auto wrong :
       {poison::throws_at_a_record, poison::cannot_be_constructed}) {
    scenario what;
    what.promise = promise;
    what.load = workload_kind::mixed;
    what.wrong = wrong;
    observed run{what};
    CHECK(run.count("task.failed", "poison") == 6);
    CHECK(run.count("task.failed", "task=1") == 6);
    CHECK(run.count("task.own_lane", "task=1") == 1);
    // The other task's lane is not dragged down any more.
    CHECK(run.count("lane.given_up", "lane=0") == 3);
    CHECK(run.count("lane.given_up", "lane=1") == 3);
    CHECK(run.count("task.parked", "task=1") == 1);
    // The others have drained by then.
    CHECK(run.count("node.stopping", "task 1 is parked: ") == 1);
    // The operator lets it try again, with better code.
    CHECK(run.count("task.resumed", "task=1") == 1);
  }
}

TEST_CASE("L8: who waits to be tried again is not kept from it by commits that "
          "fail") {
  scenario what;
  what.load = workload_kind::mixed;
  what.wrong = poison::throws_at_a_record;
  // More often than the longest pause is long.
  what.faults.lost_commit = 10;
  for (what.seed = 1; what.seed < 5; ++what.seed) {
    observed run{what};
    CHECK(run.count("task.failed", "task=1") >= 6);
    CHECK(run.count("task.parked", "task=1") == 1);
  }
}

TEST_CASE("H28: a decision outlives a bring-up that failed, and a crash") {
  scenario what;
  what.load = workload_kind::mixed;
  what.wrong = poison::throws_at_a_record;
  SECTION("the claim is held since the bring-up that failed") {
    what.faults.no_watermarks = 40;
    for (what.seed = 4; what.seed < 8; ++what.seed)
      observed run{what};
  }
  SECTION("a crash at any step, before the operator's word and after it") {
    auto whole = simulate(what);
    REQUIRE(whole.problems == std::vector<std::string>{});
    for (std::uint64_t at = 1; at < whole.steps; at += 7) {
      what.crash_after = {at};
      observed run{what};
    }
  }
}

TEST_CASE("H28: a record that is given up is left out, and that once") {
  scenario what;
  what.load = workload_kind::mixed;
  what.wrong = poison::throws_at_a_record;
  what.promise = GENERATE(guarantee::exactly_once, guarantee::at_least_once);
  what.word = GENERATE(parked_decision::skip, parked_decision::dead_letter);
  // The code is not mended: each input's record parks the task, in an order
  // that depends on the seed.
  std::uint64_t steps = 0;
  for (what.seed = 10; what.seed > 0; --what.seed) {
    observed run{what};
    CHECK(run.count("task.parked", "task=1") == 2);
    CHECK(run.count("task.resumed", "task=1") == 2);
    REQUIRE(run.got.problems.empty());
    steps = run.got.steps;
  }
  // A commit that fails takes the passed record back with it.
  what.faults.lost_commit = 10;
  for (what.seed = 8; what.seed > 0; --what.seed)
    observed run{what};
  what.faults = {};
  // Crashes all over the run, before the operator's word and after it.
  what.seed = 1;
  for (what.crash_after = {5}; what.crash_after[0] < steps;
       what.crash_after[0] += 97)
    observed run{what};
}

TEST_CASE("H28: a decision outlives a gap that stops the task before its "
          "record") {
  scenario what;
  what.load = workload_kind::mixed;
  what.wrong = poison::throws_at_a_record;
  // At-least-once the outputs of a record may be there that is lost before its
  // commit: the judge knows none such.
  what.word = GENERATE(parked_decision::skip, parked_decision::dead_letter);
  what.lose_input = true;
  std::uint64_t steps = 0;
  int kept = 0;
  for (what.seed = 8; what.seed > 0; --what.seed) {
    observed run{what};
    CHECK(run.count("task.parked", "kind=lost_input") == 1);
    CHECK(run.count("input.lost", "task=1") == 1);
    // The other input's record had its decision by then.
    kept += run.count("task.parked", "at=right/1@3") == 1 &&
            run.count("task.parked", "at=left/1@3 ") == 0;
    steps = run.got.steps;
  }
  CHECK(kept >= 2);
  what.seed = 1;
  for (what.crash_after = {5}; what.crash_after[0] < steps;
       what.crash_after[0] += 97)
    observed run{what};
}

TEST_CASE("every slow commit says where its time went, also where the next "
          "one follows at once") {
  scenario what;
  what.slow = {{"weir-commit", 100, milliseconds{2'500}}};
  what.load = workload_kind::mixed;
  for (what.seed = 1; what.seed < 6; ++what.seed) {
    observed run{what};
    auto told = [&](int number) {
      return run.count("commit.slow", "number=" + std::to_string(number) + " ");
    };
    // The lane counts from 1 in each life: none is left out in between.
    CHECK(told(1) >= 1);
    CHECK(told(4) >= 1);
    for (int number = 2; number < 20; ++number)
      CHECK(told(number) <= told(number - 1));
  }
}

TEST_CASE("a node counts what it has committed, each record once") {
  auto promise = GENERATE(guarantee::exactly_once, guarantee::at_least_once);
  // Of all lives; none where one ended without its last commit: of that, the
  // next life may find that it succeeded.
  auto counted = [](const observed& run) -> std::optional<std::pair<int, int>> {
    int records = 0, skipped = 0;
    for (auto& line : run.log) {
      int outcome = 0, some = 0, bad = 0;
      if (std::sscanf(line.c_str(),
                      "node.stopped outcome=%d records=%d skipped=%d", &outcome,
                      &some, &bad) != 3)
        continue;
      if (outcome != 0)
        return std::nullopt;
      records += some;
      skipped += bad;
    }
    return std::pair{records, skipped};
  };
  int recovered = 0, bad = 0;
  for (std::uint64_t seed = 1; seed < 40; ++seed) {
    scenario what;
    what.seed = seed;
    what.promise = promise;
    what.load = workload_kind::mixed;
    auto expected = counted(observed{what});
    REQUIRE(expected);
    bad += expected->second;
    what.faults.lost_commit = 15;
    what.broken_network = seed % 2 == 0 ? 2 : 0;
    observed run{what};
    auto all = counted(run);
    if (!all)
      continue;
    INFO("again: " << replay_command(what));
    CHECK(*all == *expected);
    recovered += run.count("lane.given_up");
  }
  CHECK(recovered > 10);
  CHECK(bad > 10);
}

TEST_CASE("C6: a fence that is blocked is tried again, and says so") {
  scenario what;
  what.faults.fence_blocked = 60;
  what.crash_after = {250};
  observed run{what};
  CHECK(run.count("claim.fencing_blocked", "no coordinator") >= 1);
  CHECK(run.count("task.waiting", "blocked by") >= 1);
}

TEST_CASE("C6: a restore that hangs says so, and goes on when it can") {
  scenario what;
  what.faults.silent_polls = 5;
  what.crash_after = {250};
  what.lose_databases = true;
  observed run{what};
  CHECK(run.count("task.restore_blocked", "hanging transaction") >= 1);
  CHECK(run.count("task.waiting", "restore blocked") >= 1);
}

TEST_CASE("C4: an owner's epoch is above all of its changelog") {
  // The second crash falls between a commit of the low epoch and its apply.
  for (std::uint64_t second = 210; second < 700; second += 5) {
    scenario what;
    what.old_claims = true;
    what.broken_network = second % 3 == 0 ? 2 : 0;
    what.crash_after = {200, second};
    observed run{what};
  }
}

TEST_CASE("L9: T_c may grow beyond the time-out of the open transaction") {
  scenario what;
  what.live_config = R"({"check_interval":"60s"})";
  observed run{what};
  CHECK(run.count("config.check_interval", "1m") == run.got.lives);
  CHECK(run.count("lane.given_up") == 0);
}

TEST_CASE("H12: tasks that are brought up while their lane retires its id") {
  // A bring-up fails, so that the next one's timer falls into a retiring; slow
  // servers stretch that. With the bring-ups of the old id alive, one task in
  // some hundred runs processes under an id that its claim does not name.
  scenario what;
  what.load = workload_kind::mixed;
  what.live_config = R"({"check_interval":"1s"})";
  what.faults.retire = 50;
  what.faults.no_watermarks = 60;
  what.slow = {{"coordination", 50, milliseconds{25}},
               {"pool", 15, milliseconds{90}},
               {"net", 15, milliseconds{90}},
               {"disk", 15, milliseconds{90}}};
  for (what.seed = 5'250; what.seed < 5'350; ++what.seed) {
    auto got = simulate(what);
    INFO("again: " << replay_command(what));
    CHECK(got.problems == std::vector<std::string>{});
  }
}
