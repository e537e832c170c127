// Inputs that stand still although they have records.
#include <catch2/catch.hpp>

#include "actors/task/input_watch.hpp"

using namespace weir;

namespace {

constexpr std::int64_t ms = 1'000'000;
/// Wall time when the steady clock was 0.
constexpr std::int64_t epoch = 1'600'000'000'000;

struct watched {
  input_watch of;

  void ready(std::int64_t at) { of.ready(at * ms); }
  void nothing(bool at_end, std::int64_t at) {
    of.polled_nothing(at_end, at * ms, epoch + at);
  }
  /// 0: no gap.
  std::int64_t records(std::int64_t written, std::int64_t at) {
    auto gap = of.polled(epoch + written, at * ms, epoch + at);
    return gap ? gap->ms : 0;
  }
  std::int64_t look(std::int64_t at) {
    auto gap = of.look(at * ms);
    return gap ? gap->ms : 0;
  }
};

} // namespace

TEST_CASE("an input without news has no gap", "[gap]") {
  watched x;
  CHECK(x.records(0, 10) == 0);
  x.nothing(true, 20);
  CHECK(x.look(60'000) == 0);
  // Written just now.
  x.ready(90'001);
  CHECK(x.records(90'000, 90'002) == 0);
}

TEST_CASE("a broker that gives nothing below the end is told of", "[gap]") {
  watched x;
  x.nothing(false, 100);
  CHECK(x.look(900) == 0);
  CHECK(x.look(1'200) == 1'100);
  // Once while it lasts, and in full at the end.
  CHECK(x.look(1'300) == 0);
  CHECK(x.records(0, 3'100) == 3'000);
}

TEST_CASE("a record that was there for long tells of a gap", "[gap]") {
  watched x;
  x.nothing(true, 100);
  x.nothing(true, 5'000);
  CHECK(x.records(6'000, 8'000) == 2'000);
  SECTION("but not one with a time of its own") {
    x.nothing(true, 10'000);
    CHECK(x.records(-1'000'000, 20'000) == 0);
  }
}

TEST_CASE("a task that does not read what is there is told of", "[gap]") {
  watched x;
  x.nothing(true, 100);
  x.ready(1'000);
  x.ready(2'500);
  CHECK(x.look(2'100) == 1'100);
  CHECK(x.records(990, 4'000) == 3'000);
  // A backlog that is read all the time is none.
  x.ready(4'100);
  CHECK(x.records(990, 4'200) == 0);
}

TEST_CASE("the end that comes to be known begins a new silence", "[gap]") {
  watched x;
  x.nothing(false, 0);
  x.nothing(true, 500);
  CHECK(x.look(9'000) == 0);
}
