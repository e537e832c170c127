#include <catch2/catch.hpp>

#include "stores/replay/restore.hpp"
#include "test/driver/memory_backend.hpp"
#include "test/unit/stores/replay/restore_support.hpp"

namespace weir {
namespace {

using test::changes;
using test::contents;
using test::key;
using test::leftovers;
using test::refuses;
using test::restore;
using test::small_history;
using test::watched_backend;

// -- R7

TEST_CASE("R7: records after the last commit record are not part of the "
          "state") {
  for (std::size_t bound : {std::size_t{1}, std::size_t{4} << 20}) {
    small_history x;
    x.owner.send(
        {{key("a"), "torn"}, {key("b"), "torn"}, {key("c"), std::nullopt}});
    memory_backend store;
    auto summary = restore(store, x.log, bound);
    REQUIRE(summary);
    CHECK(contents(store) == x.owner.state);
    CHECK(summary->torn_records == 3);
    REQUIRE(summary->torn_keys.size() == 3);
    CHECK(summary->torn_keys[0].key == key("a"));
    CHECK(summary->torn_keys[0].value == "3");
    CHECK(summary->torn_keys[1].key == key("b"));
    CHECK_FALSE(summary->torn_keys[1].value);
    CHECK(summary->torn_keys[2].value == "2");
    CHECK(leftovers(store) == 0);
    CHECK(summary->position == x.past(2).position);
  }
}

TEST_CASE("R7: a torn transaction in the past is skipped, its keys are not "
          "listed once they were written again") {
  for (std::size_t bound : {std::size_t{1}, std::size_t{4} << 20}) {
    small_history x;
    x.owner.send({{key("a"), "torn"}, {key("z"), "torn"}});
    x.owner.claim();
    SECTION("all of them") {
      x.owner.commit({{key("a"), "3"}, {key("z"), std::nullopt}});
      memory_backend store;
      auto summary = restore(store, x.log, bound);
      REQUIRE(summary);
      CHECK(contents(store) == x.owner.state);
      CHECK(summary->torn_records == 2);
      CHECK(summary->torn_keys.empty());
      CHECK(summary->highest_epoch == 2);
    }
    SECTION("one of them") {
      x.owner.commit({{key("a"), "3"}});
      memory_backend store;
      auto summary = restore(store, x.log, bound);
      REQUIRE(summary);
      REQUIRE(summary->torn_keys.size() == 1);
      CHECK(summary->torn_keys[0].key == key("z"));
    }
    SECTION("in a commit without records") {
      x.owner.commit({});
      memory_backend store;
      auto summary = restore(store, x.log, bound);
      REQUIRE(summary);
      CHECK(contents(store) == x.owner.state);
      CHECK(summary->torn_keys.size() == 2);
    }
  }
}

TEST_CASE("R7: a torn first transaction leaves an empty state") {
  for (std::size_t bound : {std::size_t{1}, std::size_t{4} << 20}) {
    test::changelog log;
    test::owner owner{log};
    owner.send({{key("a"), "1"}, {key("b"), "1"}}, 1);
    memory_backend store;
    auto summary = restore(store, log, bound);
    REQUIRE(summary);
    CHECK(contents(store).empty());
    CHECK_FALSE(summary->commit);
    CHECK_FALSE(summary->position);
    CHECK(summary->any_record);
    REQUIRE(summary->torn_keys.size() == 1);
    CHECK_FALSE(summary->torn_keys[0].value);
    CHECK(store.size() == 0);
  }
}

// -- R8

TEST_CASE("R8: a lower epoch after a higher one is refused") {
  small_history x;
  auto old = x.owner.by();
  ++old.sequence;
  x.owner.claim();
  x.owner.commit({{key("a"), "4"}});
  SECTION("in a record") {
    x.log.add(key("a"), "zombie", old);
  }
  SECTION("in a commit record") {
    auto zombie = x.past(2).record;
    zombie.by = old;
    x.log.add(std::string{commit_key}, encode(zombie), old);
  }
  memory_backend store;
  refuses(restore(store, x.log), ec::corruption, "deposed owner");
}

TEST_CASE("R8: it is refused though the store has the later commit already") {
  small_history x;
  auto old = x.owner.by();
  ++old.sequence;
  x.owner.claim();
  x.owner.commit({{key("a"), "4"}});
  memory_backend store;
  REQUIRE(restore(store, x.log));
  x.log.add(key("a"), "zombie", old);
  SECTION("beside its commit record") {
    refuses(restore(store, x.log), ec::corruption, "deposed owner");
  }
  SECTION("where that is compacted away") {
    std::erase_if(x.log.records,
                  [&](auto& r) { return r.offset < x.past(3).position; });
    refuses(restore(store, x.log), ec::corruption, "deposed owner");
  }
}

TEST_CASE("R8: neither a sequence nor a lane goes back") {
  small_history x;
  auto by = x.owner.by();
  SECTION("an earlier sequence") {
    --by.sequence;
    x.log.add(key("a"), "again", by);
  }
  SECTION("another lane in the same epoch") {
    ++by.sequence;
    ++by.lane.low;
    x.log.add(key("a"), "other", by);
  }
  memory_backend store;
  refuses(restore(store, x.log), ec::corruption, "comes after");
}

// -- R9, R12

TEST_CASE("R9: a restore that takes too long is not used") {
  small_history x;
  memory_backend store;
  auto metadata = read_metadata(store);
  auto options = test::options_for(x.log, *metadata);
  auto limit = options.limit.count();
  restorer work{store, *metadata, options};
  for (auto& each : x.log.records)
    REQUIRE(work.feed(each.view()));
  refuses(work.finish(x.log.end, options.started_ms + limit + 1), ec::timed_out,
          "removals may have been missed");
  CHECK(work.finish(x.log.end, options.started_ms + limit));
}

TEST_CASE("R12: the position is after the last commit record applied, not the "
          "end") {
  small_history x;
  x.owner.send({{key("a"), "torn"}});
  for (int i = 0; i < 5; ++i)
    x.log.marker();
  memory_backend store;
  auto summary = restore(store, x.log);
  REQUIRE(summary);
  CHECK(summary->position == x.past(2).position);
  CHECK(read_metadata(store)->position->offset == x.past(2).position);
}

// -- foreign records

TEST_CASE("attack 37: a foreign record is refused") {
  small_history x;
  auto by = x.owner.by();
  ++by.sequence;
  std::string word = "offset";
  SECTION("without a header") {
    x.log.add(key("a"), "x", std::nullopt);
    word = "not written by weir";
  }
  SECTION("with another header") {
    x.log.add(std::optional{key("a")}, std::optional<std::string>{"x"},
              "\x01?");
    word = "malformed";
  }
  SECTION("without a key") {
    x.log.add(std::nullopt, std::optional<std::string>{"x"}, encode(by));
  }
  SECTION("with a reserved key") {
    x.log.add(std::string("\0z", 2), "x", by);
  }
  SECTION("a deleted commit record") {
    x.log.add(std::string{commit_key}, std::nullopt, by);
    word = "deleted";
  }
  SECTION("a commit record with the header of another") {
    x.log.add(std::string{commit_key}, encode(x.past(2).record), by);
    word = "has the header of";
  }
  memory_backend store;
  refuses(restore(store, x.log), ec::corruption, word);
}

TEST_CASE("attack 20: a commit of another generation is refused, naming "
          "both") {
  small_history x;
  auto by = x.owner.by();
  ++by.sequence;
  auto other = x.past(2).record;
  other.by = by;
  other.generation = "another-generation";
  x.log.add(std::string{commit_key}, encode(other), by);
  memory_backend store;
  auto refused = restore(store, x.log);
  refuses(refused, ec::corruption, test::generation);
  refuses(refused, ec::corruption, "another-generation");
}

TEST_CASE("a commit record of a newer format is refused as such") {
  small_history x;
  auto by = x.owner.by();
  ++by.sequence;
  auto bytes = encode(x.past(2).record);
  bytes[0] = 9;
  x.log.add(std::string{commit_key}, bytes, by);
  memory_backend store;
  refuses(restore(store, x.log), ec::bad_format, "newer");
}

TEST_CASE("attack 36: a record that the reader repeats is dropped") {
  small_history x;
  memory_backend store;
  auto metadata = read_metadata(store);
  auto options = test::options_for(x.log, *metadata);
  restorer work{store, *metadata, options};
  for (int round = 0; round < 2; ++round)
    for (auto& each : x.log.records)
      REQUIRE(work.feed(each.view()));
  auto summary = work.finish(x.log.end, options.started_ms);
  REQUIRE(summary);
  CHECK(summary->commits == 3);
  CHECK(contents(store) == x.owner.state);
}

// -- memory

TEST_CASE("a commit of any size is restored in bounded batches") {
  test::changelog log;
  test::owner owner{log};
  owner.commit({{key("a"), "1"}});
  changes large;
  for (int i = 0; i < 5000; ++i)
    large[key(std::to_string(i))] = std::string(100, 'v');
  constexpr std::size_t bound = 4096;
  watched_backend store;
  SECTION("staged behind a commit") {
    REQUIRE(restore(store, log, bound));
    owner.commit(large);
    owner.commit({{key("b"), "2"}});
  }
  SECTION("in place in a first restore") {
    owner.commit(large);
    log.compact(log.end);
  }
  SECTION("discarded where it is torn") {
    owner.send(large);
  }
  auto summary = restore(store, log, bound);
  REQUIRE(summary);
  CHECK(contents(store) == owner.state);
  CHECK(summary->torn_keys.size() == summary->torn_records);
  // Framing of staged records and the metadata come on top.
  CHECK(store.largest < 2 * bound);
  CHECK(leftovers(store) == 0);
}

} // namespace
} // namespace weir
