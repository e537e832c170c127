// Whose turn it is among the tasks of a node.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "actors/turn_ledger.hpp"

using namespace weir;
using namespace std::chrono_literals;
using nanoseconds = std::chrono::nanoseconds;

namespace {

/// Tasks by number; grants in the order in which they came.
struct tasks {
  explicit tasks(int places, int count) : ledger(places) {
    for (int i = 0; i < count; ++i)
      add();
  }

  int add() {
    auto number = static_cast<int>(seats.size());
    seats.push_back(ledger.join([this, number] { granted.push_back(number); }));
    return number;
  }
  void want(int number) { seats[static_cast<std::size_t>(number)]->want(); }
  void done(int number, nanoseconds used, bool again) {
    seats[static_cast<std::size_t>(number)]->done(used, again);
  }

  // Longer than the seats: who goes gives its place to the next.
  std::vector<int> granted;
  turn_ledger ledger;
  std::vector<std::unique_ptr<turn_ledger::seat>> seats;
};

} // namespace

TEST_CASE("turns: so many tasks work as there are places", "[turns]") {
  tasks all{2, 3};
  all.want(0);
  all.want(1);
  all.want(2);
  CHECK(all.granted == std::vector{0, 1});
  all.done(1, 1ms, false);
  CHECK(all.granted == std::vector{0, 1, 2});
}

TEST_CASE("turns: to ask twice is to ask once", "[turns]") {
  tasks all{1, 2};
  all.want(0);
  all.want(0);
  all.want(1);
  all.want(1);
  all.done(0, 1ms, false);
  all.done(1, 1ms, false);
  CHECK(all.granted == std::vector{0, 1});
  SECTION("and who has no place cannot give one back") {
    all.done(1, 1ms, true);
    all.want(0);
    all.want(1);
    CHECK(all.granted == std::vector{0, 1, 0});
  }
}

TEST_CASE("turns: equals take turns in the order in which they ask",
          "[turns]") {
  tasks all{1, 3};
  for (int i = 0; i < 3; ++i)
    all.want(i);
  for (int i = 0; i < 6; ++i)
    all.done(all.granted.back(), 0ns, true);
  CHECK(all.granted == std::vector{0, 1, 2, 0, 1, 2, 0});
}

TEST_CASE("turns: who overran waits until each other had as much", "[turns]") {
  tasks all{1, 3};
  for (int i = 0; i < 3; ++i)
    all.want(i);
  all.done(0, 10ms, true);
  std::map<int, nanoseconds> had;
  while (all.granted.back() != 0) {
    auto at_work = all.granted.back();
    had[at_work] += 1ms;
    REQUIRE(had[at_work] <= 11ms);
    all.done(at_work, 1ms, true);
  }
  CHECK(had[1] >= 10ms);
  CHECK(had[2] >= 10ms);
}

TEST_CASE("turns: nobody waits for a task that does not ask", "[turns]") {
  tasks all{1, 2};
  all.want(0);
  all.done(0, 1h, true);
  CHECK(all.granted == std::vector{0, 0});
}

TEST_CASE("turns: who worked alone owes nothing for it", "[turns]") {
  tasks all{1, 3};
  all.want(0);
  for (int i = 0; i < 100; ++i)
    all.done(0, 1s, true);
  all.done(0, 1ms, false);
  all.want(1);
  all.want(2);
  all.want(0);
  int turns = 0;
  for (; all.granted.back() != 0; ++turns)
    all.done(all.granted.back(), 1ms, true);
  CHECK(turns <= 4);
}

TEST_CASE("turns: who was idle has saved nothing up", "[turns]") {
  tasks all{1, 3};
  all.want(0);
  all.want(1);
  for (int i = 0; i < 100; ++i)
    all.done(all.granted.back(), 1ms, true);
  all.granted.clear();
  all.want(2);
  for (int i = 0; i < 9; ++i)
    all.done(i == 0 ? 0 : all.granted.back(), 1ms, true);
  CHECK(std::count(all.granted.begin(), all.granted.end(), 2) <= 4);
}

TEST_CASE("turns: a task that goes leaves its place to the next", "[turns]") {
  tasks all{1, 3};
  for (int i = 0; i < 3; ++i)
    all.want(i);
  all.seats[1].reset();
  all.seats[0].reset();
  CHECK(all.granted == std::vector{0, 2});
}

TEST_CASE("turns: one that never comes back holds one place only", "[turns]") {
  tasks all{2, 3};
  for (int i = 0; i < 3; ++i)
    all.want(i);
  all.granted = {1};
  for (int i = 0; i < 100; ++i)
    all.done(all.granted.back(), 1ms, true);
  CHECK(std::count(all.granted.begin(), all.granted.end(), 2) == 50);
}

TEST_CASE("turns: a round of all tasks is 50 ms at most", "[turns]") {
  CHECK(tasks{2, 0}.ledger.turn() == 1ms);
  CHECK(tasks{2, 50}.ledger.turn() == 1ms);
  CHECK(tasks{2, 100}.ledger.turn() == 500us);
  CHECK(tasks{2, 2'000}.ledger.turn() == 100us);
}

TEST_CASE("turns: at any load time is shared and no place stands empty",
          "[turns]") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random{seed};
    auto places = static_cast<int>(1 + random() % 3);
    auto count = static_cast<int>(places + 1 + random() % 20);
    tasks all{places, count};
    // By task: how long its turns are; all always want more.
    std::vector<nanoseconds> length, had(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
      length.push_back(std::chrono::microseconds{1 + random() % 5'000});
    for (int i = 0; i < count; ++i)
      all.want(i);
    // When who ends; several places go on side by side.
    std::multimap<nanoseconds, int> working;
    auto now = 0ns;
    auto start = [&] {
      for (auto who : std::exchange(all.granted, {}))
        working.emplace(now + length[static_cast<std::size_t>(who)], who);
    };
    start();
    for (int step = 0; step < 20'000; ++step) {
      REQUIRE(working.size() == static_cast<std::size_t>(places));
      auto who = working.begin()->second;
      now = working.begin()->first;
      working.erase(working.begin());
      had[static_cast<std::size_t>(who)] +=
          length[static_cast<std::size_t>(who)];
      all.done(who, length[static_cast<std::size_t>(who)], true);
      start();
    }
    auto [least, most] = std::minmax_element(had.begin(), had.end());
    INFO("seed " << seed);
    // The longest turn, and what was in work when it was counted.
    CHECK(*most - *least <= 10ms);
  }
}
