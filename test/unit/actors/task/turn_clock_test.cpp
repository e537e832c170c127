// When a turn is over, and what its clock costs.
#include <catch2/catch.hpp>

#include "actors/base/log_limit.hpp"
#include "actors/task/turn_clock.hpp"
#include "test/unit/manual_clock.hpp"

using namespace weir;
using namespace weir::test;
using namespace std::chrono_literals;

namespace {

/// Records of one length in a turn of 1 ms; answers how many.
int records_in_turn(manual_clock& world, turn_clock& turn,
                    std::chrono::nanoseconds each) {
  turn.start(1ms);
  for (int i = 1;; ++i) {
    world.now += each;
    if (turn.record_done() == turn_clock::verdict::over) {
      turn.stop();
      return i;
    }
  }
}

} // namespace

TEST_CASE("a turn is over after its time, whatever a record costs", "[turns]") {
  manual_clock world;
  task_pulse pulse;
  turn_clock turn{world, pulse};
  SECTION("cheap ones") {
    for (int i = 0; i < 5; ++i) {
      auto count = records_in_turn(world, turn, 1us);
      CHECK(count >= 1'000);
      CHECK(count <= 1'130);
    }
  }
  SECTION("slow ones") {
    CHECK(records_in_turn(world, turn, 300us) == 4);
    CHECK(records_in_turn(world, turn, 1ms) == 1);
    CHECK(records_in_turn(world, turn, 200ms) == 1);
  }
  SECTION("a slow one after cheap ones") {
    records_in_turn(world, turn, 1us);
    CHECK(records_in_turn(world, turn, 200ms) == 1);
    CHECK(turn.last_call() == 200ms);
  }
  SECTION("a little slower than a moment ago") {
    records_in_turn(world, turn, 1us);
    auto before = world.now;
    records_in_turn(world, turn, 30us);
    CHECK(world.now - before <= 5ms);
    records_in_turn(world, turn, 30us);
    before = world.now;
    records_in_turn(world, turn, 30us);
    CHECK(world.now - before <= 1'200us);
  }
}

TEST_CASE("the clock is read a few times in a turn of cheap records",
          "[turns]") {
  manual_clock world;
  task_pulse pulse;
  turn_clock turn{world, pulse};
  for (int i = 0; i < 10; ++i)
    records_in_turn(world, turn, 1us);
  world.readings = 0;
  auto records = records_in_turn(world, turn, 1us);
  CHECK(records >= 1'000);
  CHECK(world.readings <= 24);
}

TEST_CASE("a pulse tells of a call while it runs", "[turns]") {
  manual_clock world;
  task_pulse pulse;
  turn_clock turn{world, pulse};
  CHECK_FALSE(pulse.running(world.now.count()));
  turn.start(1ms);
  pulse.take(1);
  pulse.at(17);
  world.now += 5s;
  auto call = pulse.running(world.now.count());
  REQUIRE(call);
  CHECK(call->of == task_pulse::code::process);
  CHECK(call->input == 1);
  CHECK(call->offset == 17);
  CHECK(call->ns == 5'000'000'000);
  // The next call counts from its own begin.
  CHECK(turn.record_done() == turn_clock::verdict::over);
  world.now += 1s;
  CHECK(pulse.running(world.now.count())->ns == 1'000'000'000);
  CHECK(turn.stop() == 6s);
  CHECK_FALSE(pulse.running(world.now.count()));
}

TEST_CASE("a board forgets pulses that have ended", "[turns]") {
  pulse_board board;
  auto first = std::make_shared<task_pulse>();
  auto second = std::make_shared<task_pulse>();
  board.add(3, first);
  board.add(4, second);
  first.reset();
  REQUIRE(board.all().size() == 1);
  CHECK(board.all()[0].partition == 4);
}

TEST_CASE("a line in ten seconds says how many were left out", "[turns]") {
  log_limit limit;
  CHECK(limit.pass(1'000) == 0u);
  CHECK_FALSE(limit.pass(2'000));
  CHECK_FALSE(limit.pass(9'999'000'000));
  CHECK(limit.pass(10'000'001'000) == 2u);
  CHECK_FALSE(limit.pass(10'000'001'001));
}
