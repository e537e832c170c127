#include <catch2/catch.hpp>

#include "stores/replay/restore.hpp"
#include "test/driver/memory_backend.hpp"
#include "test/unit/stores/log_support.hpp"
#include "test/unit/stores/replay/restore_support.hpp"

namespace weir {
namespace {

using test::contents;
using test::key;
using test::leftovers;
using test::refuses;
using test::restore;
using test::restore_first;
using test::small_history;
using test::watched_backend;

TEST_CASE("a restore of the whole changelog gives the state of the last "
          "commit") {
  small_history x;
  memory_backend store;
  auto summary = restore(store, x.log);
  REQUIRE(summary);
  CHECK(contents(store) == x.owner.state);
  CHECK(summary->commit == x.past(2).record);
  CHECK(summary->commits == 3);
  CHECK(summary->records == 6);
  CHECK(summary->bytes == 6 * 2 + 5);
  CHECK(summary->torn_records == 0);
  CHECK(summary->torn_keys.empty());
  CHECK(summary->highest_epoch == 1);
  CHECK(leftovers(store) == 0);
  CHECK(verify(store, summary->commit));
}

TEST_CASE("a restore goes on from the store's position") {
  small_history x;
  memory_backend store;
  restore_first(store, x);
  auto summary = restore(store, x.log);
  REQUIRE(summary);
  CHECK(contents(store) == x.owner.state);
  CHECK(summary->commits == 2);
  CHECK(summary->records == 4);
  // There is nothing more to do the next time.
  auto again = restore(store, x.log);
  REQUIRE(again);
  CHECK(again->commits == 0);
  CHECK(again->commit == x.past(2).record);
  CHECK(again->position == x.past(2).position);
}

// -- R1

TEST_CASE("R1: the first commit record met is applied without checks") {
  small_history x;
  // The first commit lost a record to compaction, its successor has all.
  x.log.compact(x.past(1).position);
  REQUIRE(x.log.records.size() == 4 + 3);
  memory_backend store;
  auto summary = restore(store, x.log);
  REQUIRE(summary);
  CHECK(contents(store) == x.owner.state);
  CHECK(summary->commits == 2);
  CHECK(verify(store, summary->commit));
}

TEST_CASE("R1: the boundary of compaction may lie within a commit") {
  for (std::int64_t up_to = 0;; ++up_to) {
    small_history x;
    if (up_to > x.log.end)
      break;
    x.log.compact(up_to);
    memory_backend from_nothing;
    REQUIRE(restore(from_nothing, x.log));
    CHECK(contents(from_nothing) == x.owner.state);
    memory_backend from_first;
    restore_first(from_first, small_history{});
    REQUIRE(restore(from_first, x.log));
    CHECK(contents(from_first) == x.owner.state);
  }
}

/// A history with one fault in what must be intact: the third commit.
void check_read_twice(const std::function<void(test::changelog&)>& damage,
                      const std::string& word) {
  test::collected_log log;
  {
    small_history x;
    damage(x.log);
    memory_backend store;
    int readings = 1;
    refuses(restore(store, x.log, 4u << 20, [&] { ++readings; }),
            ec::corruption, word);
    CHECK(readings == 2);
    CHECK(log.count("restore.read_again") == 1);
  }
  // The cleaner had only swapped a segment.
  small_history x;
  auto intact = x.log;
  damage(x.log);
  memory_backend store;
  auto summary = restore(store, x.log, 4u << 20, [&] { x.log = intact; });
  REQUIRE(summary);
  CHECK(contents(store) == x.owner.state);
  CHECK(summary->commit == x.past(2).record);
}

TEST_CASE("R1: a missing record is read again once, then refused") {
  check_read_twice([](auto& log) { log.records.erase(log.records.end() - 2); },
                   "it has 2");
}

TEST_CASE("R1: a changed record is read again once, then refused") {
  check_read_twice([](auto& log) { (log.records.end() - 2)->value = "x"; },
                   "checksum");
}

TEST_CASE("R1: a missing commit is read again once, then refused") {
  check_read_twice(
      [](auto& log) {
        std::erase_if(log.records, [](auto& r) {
          return decode_origin(*r.header)->sequence == 2;
        });
      },
      "does not follow");
}

TEST_CASE("R1: a changelog that lacks a part of the state is refused") {
  // What only the second commit wrote is still part of the state.
  small_history x;
  auto head = x;
  x.log.low = x.past(1).position;
  std::erase_if(x.log.records, [&](auto& r) { return r.offset < x.log.low; });
  memory_backend store;
  refuses(restore(store, x.log), ec::corruption, "digest");
  // Refused again as long as the mark is there.
  auto metadata = read_metadata(store);
  REQUIRE(metadata);
  CHECK(metadata->restoring_since);
  refuses(restore(store, x.log), ec::corruption, "digest");

  // What only the first commit wrote was removed since.
  head.log.low = head.past(0).position;
  std::erase_if(head.log.records,
                [&](auto& r) { return r.offset < head.log.low; });
  memory_backend whole;
  REQUIRE(restore(whole, head.log));
  CHECK(contents(whole) == head.owner.state);
  CHECK(leftovers(whole) == 0);
}

TEST_CASE("R1: a changed record of the unchecked part is refused") {
  small_history x;
  x.log.compact(x.log.end);
  REQUIRE(x.log.records.size() == 4);
  x.log.records.front().value = "x";
  memory_backend store;
  refuses(restore(store, x.log), ec::corruption, "digest");
}

TEST_CASE("R1: reading again begins where the first reading began") {
  test::collected_log log;
  small_history x;
  memory_backend store;
  restore_first(store, x);
  (x.log.records.end() - 2)->value = "x";
  refuses(restore(store, x.log), ec::corruption, "read twice");
  // What was checked before the damage stays; the mark says: not for use.
  auto metadata = read_metadata(store);
  REQUIRE(metadata);
  CHECK(metadata->commit == x.past(0).record);
}

// -- R5

TEST_CASE("R5: the record at position-1 must be the commit the store names") {
  small_history x;
  memory_backend store;
  restore_first(store, x);
  auto at =
      std::find_if(x.log.records.begin(), x.log.records.end(),
                   [&](auto& r) { return r.offset == x.past(0).position - 1; });
  SECTION("another commit record") {
    auto other = x.past(0).record;
    other.wall_clock_ms += 1;
    at->value = encode(other);
    refuses(restore(store, x.log), ec::corruption, "restored from a backup");
  }
  SECTION("another record") {
    at->key = key("a");
    refuses(restore(store, x.log), ec::corruption, "restored from a backup");
  }
  SECTION("none, and no later commit") {
    x.log.records.clear();
    refuses(restore(store, x.log), ec::data_loss, "nor a later one");
  }
  SECTION("compacted away, with a later commit") {
    x.log.compact(x.log.end);
    REQUIRE(restore(store, x.log));
    CHECK(contents(store) == x.owner.state);
  }
}

TEST_CASE("R5: a changelog that ends before the store's position is refused") {
  small_history x;
  memory_backend store;
  REQUIRE(restore(store, x.log));
  x.log.end = x.past(1).position;
  std::erase_if(x.log.records, [&](auto& r) { return r.offset >= x.log.end; });
  refuses(restore(store, x.log), ec::data_loss, "recreated");
}

TEST_CASE("a changelog that begins behind the store's position needs a "
          "rebuild") {
  small_history x;
  memory_backend store;
  restore_first(store, x);
  x.log.low = x.past(0).position + 1;
  refuses(restore(store, x.log), ec::offset_out_of_range, "rebuild");
  // Right at the position nothing is missing.
  x.log.low = x.past(0).position;
  std::erase_if(x.log.records, [&](auto& r) { return r.offset < x.log.low; });
  REQUIRE(restore(store, x.log));
  CHECK(contents(store) == x.owner.state);
}

// -- R6

TEST_CASE("R6: a commit that the store has is not applied again") {
  small_history x;
  watched_backend store;
  // The store is at the second commit, its position after the first.
  restore_first(store.base, x);
  change_batch second;
  for (auto& [k, v] : x.past(1).state)
    second.put(k, v);
  commit_metadata(x.past(1).record, std::nullopt).for_each([&](auto k, auto v) {
    second.put(k, *v);
  });
  REQUIRE(store.base.write(second, false));
  auto summary = restore(store, x.log);
  REQUIRE(summary);
  CHECK(summary->commits == 1);
  CHECK(summary->records == 2);
  // Keys a and b are of the third commit, c only of the second.
  CHECK(store.written.contains(key("a")));
  CHECK_FALSE(store.written.contains(key("c")));
  CHECK(contents(store) == x.owner.state);
}

TEST_CASE("R6: a position that was too low is put right") {
  small_history x;
  memory_backend store;
  REQUIRE(restore(store, x.log));
  change_batch lower;
  lower.put(metadata_key::position,
            encode(changelog_position{x.past(0).position, x.past(0).record.by,
                                      checksum(x.past(0).record)}));
  REQUIRE(store.write(lower, false));
  auto summary = restore(store, x.log);
  REQUIRE(summary);
  CHECK(summary->commits == 0);
  CHECK(summary->position == x.past(2).position);
  CHECK(read_metadata(store)->position->offset == x.past(2).position);
  CHECK(contents(store) == x.owner.state);
}

TEST_CASE("R6: the mark is there from the first batch to the last") {
  small_history x;
  watched_backend store;
  auto metadata = read_metadata(store);
  restorer work{store, *metadata, [&] {
                  auto o = test::options_for(x.log, *metadata);
                  o.batch_bytes = 1; // a batch for each record
                  return o;
                }()};
  REQUIRE(work.feed(x.log.records[0].view()));
  REQUIRE(store.batches == 1);
  CHECK(read_metadata(store)->restoring_since == 1'000'000'000);
  for (std::size_t i = 1; i < x.log.records.size(); ++i) {
    REQUIRE(work.feed(x.log.records[i].view()));
    CHECK(read_metadata(store)->restoring_since);
  }
  REQUIRE(work.finish(x.log.end, 1'000'000'001));
  CHECK_FALSE(read_metadata(store)->restoring_since);
  CHECK(contents(store) == x.owner.state);
}

TEST_CASE("R6: a restore that dies before any batch is continued") {
  for (int die = 1;; ++die) {
    small_history x;
    x.owner.send({{key("a"), "torn"}, {key("new"), "torn"}});
    watched_backend store;
    store.dies_before = die;
    auto first = restore(store, x.log, 4);
    auto metadata = read_metadata(store);
    REQUIRE(metadata);
    if (first) {
      CHECK(die > 8);
      break;
    }
    CHECK(first.error().code() == ec::io_error);
    CHECK(metadata->restoring_since.has_value() == (die > 1));
    store.dies_before.reset();
    auto second = restore(store, x.log, 4);
    REQUIRE(second);
    CHECK(contents(store) == x.owner.state);
    CHECK(second->commit == x.past(2).record);
    CHECK(second->torn_records == 2);
    CHECK(leftovers(store) == 0);
  }
}

TEST_CASE("R6: what a restore staged before it died is erased by the next") {
  int with_leftovers = 0;
  for (int die = 1;; ++die) {
    small_history x;
    watched_backend store;
    restore_first(store.base, x);
    store.dies_before = die;
    if (restore(store, x.log, 4))
      break;
    with_leftovers += leftovers(store) > 1;
    store.dies_before.reset();
    // Memory enough to stage nothing.
    REQUIRE(restore(store, x.log));
    CHECK(contents(store) == x.owner.state);
    CHECK(leftovers(store) == 0);
  }
  CHECK(with_leftovers > 0);
}

} // namespace
} // namespace weir
