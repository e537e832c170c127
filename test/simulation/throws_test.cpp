// H31: an exception in any handler of any actor never leaves half a process.
#include <cstdio>
#include <map>
#include <set>
#include <stdexcept>

#include <catch2/catch.hpp>

#include "test/simulation/simulation.hpp"

using namespace weir;
using namespace weir::sim;

namespace {

/// An actor's kind and the type of a message.
using handler = std::pair<std::string, std::string>;

/// How often each handler runs in a run without an exception.
std::map<handler, int> handlers_of(scenario what) {
  std::map<handler, int> out;
  what.probe = [&](const char* actor, const char* message) {
    ++out[{actor, message}];
  };
  auto got = simulate(what);
  INFO("again: " << replay_command(what));
  CHECK(got.problems == std::vector<std::string>{});
  return out;
}

/// Throws when `where` is about to run for the `nth` time.
void throw_at(scenario what, const handler& where, int nth) {
  int met = 0;
  what.probe = [&](const char* actor, const char* message) {
    if (where.first == actor && where.second == message && ++met == nth)
      throw std::runtime_error{"injected"};
  };
  auto got = simulate(what);
  INFO("again: " << replay_command(what) << ", throwing in " << where.first
                 << " at message " << nth << " of " << where.second);
  CHECK(got.problems == std::vector<std::string>{});
  CHECK(met >= nth);
  if (!got.problems.empty())
    WARN("its end:\n" << got.tail);
}

/// First, last, and some between: what a handler does depends on when it runs,
/// and the continuations are many handlers in one.
std::set<int> occurrences(int count) {
  constexpr int most = 12;
  std::set<int> out{1, count};
  for (int i = 1; i < most; ++i)
    out.insert(1 + (count - 1) * i / most);
  return out;
}

} // namespace

TEST_CASE("H31: a throw in every handler of every actor") {
  auto promise = GENERATE(guarantee::exactly_once, guarantee::at_least_once);
  scenario what;
  what.promise = promise;
  what.load = workload_kind::mixed;
  // So that there is something to fence, to retire and to hear of.
  what.crash_after = {400};
  what.faults.retire = 20;
  auto handlers = handlers_of(what);
  std::set<std::string> actors;
  int runs = 0;
  for (auto& [where, count] : handlers) {
    actors.insert(where.first);
    for (auto nth : occurrences(count)) {
      throw_at(what, where, nth);
      ++runs;
    }
  }
  CHECK(actors == std::set<std::string>{"bring_up", "fencer", "lane", "let_go",
                                        "membership", "node", "task"});
  std::printf("throws: %zu handlers of %zu kinds of actors, %d runs\n",
              handlers.size(), actors.size(), runs);
}
