// Every way of a lane (rule H11): breadth first through all that can happen to
// it, equal states merged, with one and with two tasks.
#include <cstdio>
#include <deque>
#include <string>
#include <unordered_set>

#include <catch2/catch.hpp>

#include "test/unit/actors/lane/lane_world.hpp"

using namespace weir::test;

namespace {

struct exploration {
  std::size_t states = 0;
  std::size_t steps = 0;
  int depth = 0;
  bool complete = false;
};

/// Breadth first to `depth` or to the end, equal states merged.
exploration explore(int tasks, int depth, std::size_t most) {
  struct node {
    world at;
    std::string way;
  };
  exploration out;
  std::unordered_set<std::string> seen;
  std::deque<node> level{{world{tasks}, {}}};
  seen.insert(level.front().at.key());
  for (; !level.empty() && out.depth < depth && seen.size() < most;
       ++out.depth) {
    std::deque<node> next;
    for (auto& from : level) {
      for (auto& [name, happen] : from.at.events()) {
        ++out.steps;
        auto way = from.way + " > " + name;
        auto to = from.at;
        try {
          happen(to);
          auto rested = to;
          rested.settle();
          rested.check_settled();
        } catch (const broken& what) {
          throw std::logic_error{std::string{what.what()} + ":" + way + "\n" +
                                 to.key()};
        }
        if (!to.over() && seen.insert(to.key()).second)
          next.push_back({std::move(to), way});
      }
    }
    level = std::move(next);
  }
  out.states = seen.size();
  out.complete = level.empty();
  return out;
}

void report(int tasks, const exploration& x) {
  std::printf("lane, %d task%s: %zu states, %zu steps, depth %d%s\n", tasks,
              tasks == 1 ? "" : "s", x.states, x.steps, x.depth,
              x.complete ? ", complete" : "");
}

} // namespace

TEST_CASE("H11: every way of a lane with one task ends well", "[lane]") {
  auto all = explore(1, 1'000, 2'000'000);
  report(1, all);
  CHECK(all.complete);
  CHECK(all.states > 100);
}

TEST_CASE("H11: every sequence of events of a lane with two tasks ends well",
          "[lane]") {
  auto all = explore(2, 12, 120'000);
  report(2, all);
  CHECK(all.depth >= 8);
}
