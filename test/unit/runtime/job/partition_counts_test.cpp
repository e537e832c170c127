#include <catch2/catch.hpp>

#include "runtime/job/partition_counts.hpp"

using namespace weir;
using Catch::Matchers::Contains;

TEST_CASE("R11: equal partition counts are no finding", "[topics]") {
  CHECK(compare_partitions(8, {}).empty());
  CHECK(compare_partitions(8, {{"ticks", 8}, {"rates", 8}}).empty());
}

TEST_CASE("R11: an input that grows under a running job is told", "[topics]") {
  auto found = compare_partitions(8, {{"rates", 8}, {"ticks", 16}});
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].text, Contains("'ticks' has 16 partitions") &&
                                Contains("created with 8") &&
                                Contains("partitions 8 to 15 are not read"));
  CHECK_THAT(found[0].cure, Contains("`reset`") && Contains("another name") &&
                                Contains("partitions 0 to 7 only"));
  found = compare_partitions(1, {{"ticks", 2}});
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].text, Contains(": partition 1 is not read"));
  CHECK_THAT(found[0].cure, Contains("write to partition 0 only"));
}

TEST_CASE("R11: an input that was made anew or is gone is told", "[topics]") {
  auto found = compare_partitions(8, {{"a", 4}, {"b", std::nullopt}, {"c", 9}});
  REQUIRE(found.size() == 3);
  CHECK_THAT(found[0].text,
             Contains("'a' has 4 partitions") && Contains("made anew"));
  CHECK_THAT(found[1].text, Contains("'b' does not exist any more"));
  CHECK_THAT(found[2].text, Contains("'c' has 9 partitions"));
}
