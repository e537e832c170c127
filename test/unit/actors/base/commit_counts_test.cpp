#include <catch2/catch.hpp>

#include "actors/base/commit_counts.hpp"

using namespace weir;

TEST_CASE("a commit counts once it is known to have succeeded",
          "[commit_counts]") {
  commit_counts counts;
  counts.sealed(1, 11, {10, 2, 1});
  CHECK(counts.total() == record_count{});
  counts.applied(1);
  CHECK(counts.total() == record_count{10, 2, 1});
  counts.applied(1);
  CHECK(counts.total() == record_count{10, 2, 1});
}

TEST_CASE("the next incarnation tells what became of a commit",
          "[commit_counts]") {
  commit_counts counts;
  counts.restored(1, 0);
  counts.sealed(1, 11, {10, 0, 0});
  SECTION("it is there") {
    counts.restored(1, 11);
    CHECK(counts.total().records == 10);
  }
  SECTION("it is not: its records come again") {
    counts.restored(1, 0);
    CHECK(counts.total().records == 0);
  }
  counts.restored(1, 11);
  counts.applied(1);
  auto before = counts.total().records;
  counts.sealed(2, 21, {3, 1, 0});
  counts.sealed(1, 12, {5, 0, 0});
  counts.applied(1);
  CHECK(counts.total().records == before + 5);
  counts.restored(2, 21);
  CHECK(counts.total() == record_count{before + 8, 1, 0});
}
