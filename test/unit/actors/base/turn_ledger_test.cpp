// Whose turn it is among the tasks of a node.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "actors/base/turn_ledger.hpp"

using namespace weir;
using namespace std::chrono_literals;
using nanoseconds = std::chrono::nanoseconds;

namespace {

/// Tasks by number; grants in the order in which they came.
struct tasks {
  explicit tasks(int places, int count, int groups = 0)
      : groups(groups), ledger(places) {
    for (int i = 0; i < count; ++i)
      add();
  }

  void add() {
    auto number = static_cast<int>(seats.size());
    // A group each, if nothing else is said.
    auto group =
        static_cast<std::uint64_t>(groups > 0 ? number % groups : number);
    seats.push_back(
        ledger.join([this, number] { granted.push_back(number); }, group));
  }
  void want(int number) { seats[static_cast<std::size_t>(number)]->want(); }
  void done(int number, nanoseconds used, bool again) {
    if (seats[static_cast<std::size_t>(number)]->done(used, again))
      granted.push_back(number);
  }
  /// The first `count` have a backlog and share one place: from now on none of
  /// them comes from idle. The first has the place.
  void settle(int count) {
    for (int i = 0; i < count; ++i)
      want(i);
    // A turn each, since they come from idle, and what is left of the stretch.
    for (int i = 0; i < 2 * count; ++i)
      for (auto who = granted.back(); who == granted.back();)
        done(who, 0ns, true);
    granted = {granted.back()};
  }
  /// So many turns of 1 ms, each of who got a place last.
  void work(int turns) {
    for (int i = 0; i < turns; ++i)
      done(granted.back(), 1ms, true);
  }
  auto turns_of(int number) const {
    return std::count(granted.begin(), granted.end(), number);
  }

  int groups;
  // Longer than the seats: who goes gives its place to the next.
  std::vector<int> granted;
  turn_ledger ledger;
  std::vector<std::unique_ptr<turn_ledger::seat>> seats;
};

} // namespace

TEST_CASE("turns: a group does not work beside itself while another can",
          "[turns]") {
  // 0, 2, 4 and 1, 3, 5 belong together.
  tasks all{2, 6, 2};
  for (int i = 0; i < 6; ++i)
    all.want(i);
  CHECK(all.granted == std::vector{0, 1});
  std::vector<nanoseconds> had(6);
  for (int i = 0; i < 1'000; ++i) {
    std::vector<int> at_work{all.granted.end() - 2, all.granted.end()};
    REQUIRE(at_work[0] % 2 != at_work[1] % 2);
    // The first of the two.
    had[static_cast<std::size_t>(at_work[0])] += 1ms;
    all.done(at_work[0], 1ms, true);
  }
  auto [least, most] = std::minmax_element(had.begin(), had.end());
  CHECK(*most - *least <= 50ms);
  SECTION("but no place stands empty for it") {
    all.granted.clear();
    for (int i : {1, 3, 5})
      all.seats[static_cast<std::size_t>(i)].reset();
    REQUIRE_FALSE(all.granted.empty());
    CHECK(all.granted.back() % 2 == 0);
  }
}

TEST_CASE("turns: a group with fewer tasks has no more time for each",
          "[turns]") {
  // 0 and 1; 2, 4, 6, … share the other place.
  tasks all{2, 2, 2};
  for (int i = 2; i < 16; ++i)
    all.add();
  std::vector<int> members{0, 1};
  for (int i = 2; i < 16; i += 2)
    members.push_back(i);
  for (auto i : members)
    all.want(i);
  std::map<int, nanoseconds> had;
  std::vector<int> at_work{0, 1};
  all.granted.clear();
  for (int i = 0; i < 10'000; ++i) {
    auto who = at_work.front();
    at_work.erase(at_work.begin());
    had[who] += 1ms;
    all.done(who, 1ms, true);
    REQUIRE(all.granted.size() == 1);
    at_work.push_back(all.granted.front());
    all.granted.clear();
  }
  auto by_time = [](auto& a, auto& b) { return a.second < b.second; };
  auto [least, most] = std::minmax_element(had.begin(), had.end(), by_time);
  CHECK(had.size() == members.size());
  // A round, and two stretches.
  CHECK(most->second - least->second <= 50ms + 12ms);
}

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

TEST_CASE("turns: equals take stretches in the order in which they ask",
          "[turns]") {
  tasks all{1, 3};
  all.settle(3);
  // A round of all is 50 ms.
  constexpr int stretch = 16;
  auto used = GENERATE(0ns, nanoseconds{1ms});
  for (int i = 0; i < 6 * stretch; ++i)
    all.done(all.granted.back(), used, true);
  std::vector<int> expected;
  for (int i = 0; i <= 6 * stretch; ++i)
    expected.push_back(i / stretch % 3);
  CHECK(all.granted == expected);
}

TEST_CASE("turns: a stretch is shorter the more tasks there are", "[turns]") {
  auto [places, count, stretch] = GENERATE(
      std::tuple{1, 4, 12}, std::tuple{1, 8, 6}, std::tuple{1, 64, 1},
      std::tuple{2, 8, 12}, std::tuple{2, 64, 2}, std::tuple{2, 1'000, 1});
  tasks all{places, count};
  // The last has the second place all the time.
  if (places == 2)
    all.want(count - 1);
  all.settle(count + 1 - places);
  auto turn = all.ledger.turn();
  for (int i = 0; i < stretch; ++i) {
    CHECK(all.granted.back() == 0);
    all.done(0, turn, true);
  }
  CHECK(all.granted.back() == 1);
}

TEST_CASE("turns: a turn that took too long ends the stretch", "[turns]") {
  tasks all{1, 2};
  all.settle(2);
  all.done(0, 2ms, true);
  CHECK(all.granted == std::vector{0, 0});
  all.done(0, 2ms + 1ns, true);
  CHECK(all.granted == std::vector{0, 0, 1});
}

TEST_CASE("turns: who was idle goes before who goes on", "[turns]") {
  tasks all{1, 4};
  all.settle(2);
  all.work(1);
  all.want(2);
  all.work(1);
  CHECK(all.granted == std::vector{0, 0, 2});
  all.want(3);
  all.done(2, 1ms, false);
  all.done(3, 1ms, false);
  // And who had to let it go before has the rest of its stretch: 12 turns.
  all.work(9);
  CHECK(all.granted.back() == 0);
  all.work(1);
  CHECK(all.turns_of(0) == 12);
  CHECK(all.granted.back() == 1);
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
  // With so many a stretch is one turn.
  auto [count, most] = GENERATE(std::pair{64, 4}, std::pair{3, 32});
  tasks all{1, count};
  all.want(0);
  for (int i = 0; i < 100; ++i)
    all.done(0, 1s, true);
  all.done(0, 1ms, false);
  all.want(1);
  all.want(2);
  all.want(0);
  int turns = 0;
  for (; all.granted.back() != 0; ++turns)
    all.work(1);
  CHECK(turns <= most);
}

TEST_CASE("turns: who was idle has saved nothing up", "[turns]") {
  // So many that a stretch is one turn, or a stretch of 16.
  auto [count, stretch] = GENERATE(std::pair{64, 1}, std::pair{3, 16});
  tasks all{1, count};
  all.want(0);
  all.want(1);
  all.work(100);
  all.want(2);
  all.granted = {all.granted.back()};
  all.work(9 * stretch);
  // Its third, and a stretch.
  CHECK(all.turns_of(2) <= 4 * stretch);
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
  // So many that a stretch is one turn, or a stretch of 33.
  auto [count, stretch] = GENERATE(std::pair{2'000, 1}, std::pair{3, 33});
  tasks all{2, count};
  for (int i = 0; i < 3; ++i)
    all.want(i);
  all.granted = {1};
  for (int i = 0; i < 100 * stretch; ++i)
    all.done(all.granted.back(), 100us, true);
  // Exact where turns alternate.
  CHECK(std::abs(all.turns_of(2) - 50 * stretch) <= stretch - 1);
}

TEST_CASE("turns: a round of all tasks is 50 ms at most", "[turns]") {
  CHECK(tasks{2, 0}.ledger.turn() == 1ms);
  CHECK(tasks{2, 50}.ledger.turn() == 1ms);
  CHECK(tasks{2, 100}.ledger.turn() == 500us);
  CHECK(tasks{2, 2'000}.ledger.turn() == 100us);
}

TEST_CASE("turns: at any load time is shared and no place stands empty",
          "[turns]") {
  // With so many that a stretch is one turn, and with stretches.
  auto single = GENERATE(true, false);
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random{seed};
    auto places = static_cast<int>(1 + random() % 3);
    auto count = static_cast<int>(places + 1 + random() % 20);
    tasks all{places, single ? count + 2'000 : count};
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
    auto bound = nanoseconds{10ms};
    if (!single)
      bound += 2 * places * 50ms / count;
    CHECK(*most - *least <= bound);
  }
}
