#include <catch2/catch.hpp>

#include "actors/bring_up/stalled_inputs.hpp"

using namespace weir;

namespace {

constexpr milliseconds patience{30'000};

std::vector<partition_ends> ends(std::int64_t stable, std::int64_t high) {
  return {{"ticks", 3, stable, high}};
}

} // namespace

TEST_CASE("a last stable offset that stands still is told of", "[node]") {
  stalled_inputs x;
  CHECK(x.look(ends(7, 9), 1'000, patience).empty());
  CHECK(x.look(ends(7, 12), 30'999, patience).empty());
  auto found = x.look(ends(7, 12), 31'000, patience);
  REQUIRE(found.size() == 1);
  CHECK(found[0].since_ms == 1'000);
  CHECK(found[0].at.stable == 7);
  // Again and again, as long as it lasts.
  CHECK(x.look(ends(7, 12), 61'000, patience).size() == 1);
}

TEST_CASE("one that moves, or has nothing behind it, is not", "[node]") {
  stalled_inputs x;
  x.look(ends(7, 9), 0, patience);
  CHECK(x.look(ends(8, 9), 40'000, patience).empty());
  CHECK(x.look(ends(9, 9), 80'000, patience).empty());
  // It begins anew.
  CHECK(x.look(ends(9, 10), 90'000, patience).empty());
  CHECK(x.look({}, 130'000, patience).empty());
  CHECK(x.look(ends(9, 10), 140'000, patience).empty());
}

TEST_CASE("the way to find a hanging transaction can be typed", "[node]") {
  settings how;
  how.kafka = "broker:9092";
  CHECK(find_hanging(how, "ticks", 3) ==
        "kafka-transactions.sh --bootstrap-server broker:9092 "
        "describe-producers --topic ticks --partition 3");
}
