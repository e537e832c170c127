#include "runtime/kafka/departures.hpp"

#include <thread>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using weir::kafka::departures;
using weir::kafka::in_flight;

namespace {

struct rig {
  departures::time_point at(std::chrono::milliseconds x) const {
    return start + x;
  }
  /// True: the thread was woken for it.
  bool send() {
    generation = records.add();
    return all.sent();
  }
  void answer(std::int64_t count = 1) {
    records.remove(generation, count);
    all.answered(count);
  }
  std::optional<departures::time_point> due(std::chrono::milliseconds now) {
    return all.due(records, at(now));
  }
  void depart(std::chrono::milliseconds now) { all.depart(records, at(now)); }

  departures::time_point start = departures::time_point{} + 1h;
  in_flight records;
  departures all{20ms, 5ms};
  unsigned generation = 0;
};

} // namespace

TEST_CASE("nothing departs before something is sent", "[departures]") {
  rig x;
  CHECK_FALSE(x.due(0ms));
  CHECK(x.send());
  CHECK(x.due(0ms) == x.at(20ms));
  // Only the first of them wakes anybody.
  CHECK_FALSE(x.send());
  CHECK(x.due(15ms) == x.at(20ms));
}

TEST_CASE("departures go on until all is answered", "[departures]") {
  rig x;
  x.send();
  x.send();
  CHECK(x.due(0ms) == x.at(20ms));
  x.depart(20ms);
  CHECK(x.due(20ms) == x.at(40ms));
  x.answer();
  CHECK(x.due(30ms) == x.at(40ms));
  x.answer();
  CHECK_FALSE(x.due(31ms));
  // The next record waits from when it came, and wakes the thread again.
  CHECK(x.send());
  CHECK(x.due(100ms) == x.at(120ms));
}

TEST_CASE("what is hastened departs at once, the next time after a pause",
          "[departures]") {
  rig x;
  x.send();
  REQUIRE(x.due(0ms));
  CHECK(x.all.hasten());
  CHECK_FALSE(x.all.hasten());
  CHECK(*x.due(1ms) <= x.at(1ms));
  x.depart(1ms);
  // Missed, perhaps.
  CHECK(x.due(1ms) == x.at(6ms));
  x.send();
  x.depart(6ms);
  // The first is answered; the second was not hastened.
  x.answer();
  CHECK(x.due(7ms) == x.at(26ms));
  CHECK(x.all.hasten());
  CHECK(x.due(7ms) == x.at(11ms));
}

TEST_CASE("a hint has no effect where records wait no longer without it",
          "[departures]") {
  departures same{5ms, 5ms};
  CHECK_FALSE(same.hasten());
}

TEST_CASE("without a linger nothing is kept back", "[departures]") {
  in_flight records;
  departures none{0ms, 0ms};
  records.add();
  CHECK(none.sent());
  CHECK_FALSE(none.due(records, departures::time_point{} + 1h));
}

TEST_CASE("no record comes unseen", "[departures]") {
  // One thread sends a record at a time and waits for its answer; the other
  // falls asleep, as soon as nothing is on its way, until it is woken.
  rig x;
  std::atomic<bool> woken{false};
  std::atomic<bool> answered{true};
  constexpr int count = 20'000;
  std::thread sender{[&] {
    for (int i = 0; i < count; ++i) {
      answered.wait(false);
      answered = false;
      if (x.send()) {
        woken = true;
        woken.notify_one();
      }
    }
  }};
  for (int seen = 0; seen < count;) {
    if (!x.due(0ms)) {
      woken.wait(false);
      woken = false;
      continue;
    }
    if (x.records.count() == 0)
      continue;
    x.answer();
    ++seen;
    answered = true;
    answered.notify_one();
  }
  sender.join();
  CHECK(x.records.count() == 0);
}
