#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "stores/memory_backend.hpp"
#include "stores/restore.hpp"
#include "stores_changelog_support.hpp"
#include "stores_log_support.hpp"

namespace weir {
namespace {

using test::changes;
using test::contents;
using test::key;
using test::restore;

/// Looks at every batch on its way, and can die before one.
class watched_backend final : public backend {
public:
  result<bool> get(std::string_view k, std::string& value) override {
    return base.get(k, value);
  }
  result<void> write(const change_batch& x, bool sync) override {
    if (dies_before && ++writes == *dies_before)
      return fail(ec::io_error, "died");
    largest = std::max(largest, x.bytes());
    ++batches;
    return base.write(x, sync);
  }
  result<void>
  scan(std::string_view from, std::string_view to,
       const std::function<bool(std::string_view, std::string_view)>& visit)
      override {
    return base.scan(from, to, visit);
  }

  memory_backend base;
  std::optional<int> dies_before;
  int writes = 0;
  int batches = 0;
  std::size_t largest = 0;
};

/// The entries of the database that are neither state nor wanted for good.
std::size_t leftovers(backend& store) {
  std::size_t count = 0;
  REQUIRE(store.scan(metadata_key::restoring, "\x01",
                     [&](std::string_view k, std::string_view) {
                       count += k.starts_with(metadata_key::restoring) ||
                                k.starts_with(metadata_key::staged);
                       return true;
                     }));
  return count;
}

/// Three commits; key a is written in all of them.
struct small_history {
  test::changelog log;
  test::owner owner{log};

  small_history() {
    owner.commit({{key("a"), "1"}, {key("b"), "1"}});
    owner.commit({{key("a"), "2"}, {key("c"), "2"}});
    owner.commit({{key("a"), "3"}, {key("b"), std::nullopt}});
  }

  const test::owner::past_commit& past(std::size_t i) const {
    return owner.history.at(i);
  }
};

/// A store at the first commit of `x`.
void restore_first(memory_backend& store, const small_history& x) {
  auto part = x.log;
  part.end = x.past(0).position;
  std::erase_if(part.records, [&](auto& r) { return r.offset >= part.end; });
  REQUIRE(restore(store, part));
  REQUIRE(contents(store) == x.past(0).state);
}

void refuses(const result<restore_summary>& x, ec code,
             const std::string& word) {
  REQUIRE_FALSE(x);
  CHECK(x.error().code() == code);
  INFO(x.error().text());
  CHECK(x.error().text().find(word) != std::string::npos);
}

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

// -- R1 -----------------------------------------------------------------------

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
                   "records");
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

TEST_CASE("R1: reading again begins where the first reading began") {
  test::collected_log log;
  small_history x;
  memory_backend store;
  restore_first(store, x);
  (x.log.records.end() - 2)->value = "x";
  refuses(restore(store, x.log), ec::corruption, "read twice");
  // What was checked before the damage stays; the mark says: not for use.
  auto facts = read_facts(store);
  REQUIRE(facts);
  CHECK(facts->commit == x.past(0).record);
}

// -- R5 -----------------------------------------------------------------------

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
    refuses(restore(store, x.log), ec::corruption, "R5");
  }
  SECTION("another record") {
    at->key = key("a");
    refuses(restore(store, x.log), ec::corruption, "R5");
  }
  SECTION("none, and no later commit") {
    x.log.records.clear();
    refuses(restore(store, x.log), ec::data_loss, "R5");
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

// -- R6 -----------------------------------------------------------------------

TEST_CASE("R6: a commit that the store has is not applied again") {
  small_history x;
  memory_backend store;
  // The store is at the second commit, its position after the first.
  restore_first(store, x);
  change_batch second;
  for (auto& [k, v] : x.past(1).state)
    second.put(k, v);
  commit_metadata(x.past(1).record, std::nullopt).for_each([&](auto k, auto v) {
    second.put(k, *v);
  });
  REQUIRE(store.write(second, false));
  auto summary = restore(store, x.log);
  REQUIRE(summary);
  CHECK(summary->commits == 1);
  CHECK(summary->records == 2);
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
  CHECK(read_facts(store)->position->offset == x.past(2).position);
  CHECK(contents(store) == x.owner.state);
}

TEST_CASE("R6: the mark is there from the first batch to the last") {
  small_history x;
  watched_backend store;
  auto facts = read_facts(store);
  restorer work{store, *facts, [&] {
                  auto o = test::options_for(x.log, *facts);
                  o.batch_bytes = 1; // a batch for each record
                  return o;
                }()};
  REQUIRE(work.feed(x.log.records[0].view()));
  REQUIRE(store.batches == 1);
  CHECK(read_facts(store)->restoring_since == 1'000'000'000);
  for (std::size_t i = 1; i < x.log.records.size(); ++i) {
    REQUIRE(work.feed(x.log.records[i].view()));
    CHECK(read_facts(store)->restoring_since);
  }
  REQUIRE(work.finish(x.log.end, 1'000'000'001));
  CHECK_FALSE(read_facts(store)->restoring_since);
  CHECK(contents(store) == x.owner.state);
}

TEST_CASE("R6: a restore that dies before any batch is continued") {
  for (int die = 1;; ++die) {
    small_history x;
    x.owner.send({{key("a"), "torn"}, {key("new"), "torn"}});
    watched_backend store;
    store.dies_before = die;
    auto first = restore(store, x.log, 4);
    auto facts = read_facts(store);
    REQUIRE(facts);
    if (first) {
      CHECK(die > 8);
      break;
    }
    CHECK(first.error().code() == ec::io_error);
    CHECK(facts->restoring_since.has_value() == (die > 1));
    store.dies_before.reset();
    auto second = restore(store, x.log, 4);
    REQUIRE(second);
    CHECK(contents(store) == x.owner.state);
    CHECK(second->commit == x.past(2).record);
    CHECK(second->torn_records == 2);
    CHECK(leftovers(store) == 0);
  }
}

// -- R7 -----------------------------------------------------------------------

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

// -- R8 -----------------------------------------------------------------------

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
  refuses(restore(store, x.log), ec::corruption, "R8");
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
    refuses(restore(store, x.log), ec::corruption, "R8");
  }
  SECTION("where that is compacted away") {
    std::erase_if(x.log.records,
                  [&](auto& r) { return r.offset < x.past(3).position; });
    refuses(restore(store, x.log), ec::corruption, "R8");
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

// -- R9, R12 ------------------------------------------------------------------

TEST_CASE("R9: a restore that takes too long is not used") {
  small_history x;
  memory_backend store;
  auto facts = read_facts(store);
  auto options = test::options_for(x.log, *facts);
  auto limit = options.limit.count();
  restorer work{store, *facts, options};
  for (auto& each : x.log.records)
    REQUIRE(work.feed(each.view()));
  refuses(work.finish(x.log.end, options.started_ms + limit + 1), ec::timed_out,
          "R9");
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
  CHECK(read_facts(store)->position->offset == x.past(2).position);
}

// -- foreign records ----------------------------------------------------------

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
  auto facts = read_facts(store);
  auto options = test::options_for(x.log, *facts);
  restorer work{store, *facts, options};
  for (int round = 0; round < 2; ++round)
    for (auto& each : x.log.records)
      REQUIRE(work.feed(each.view()));
  auto summary = work.finish(x.log.end, options.started_ms);
  REQUIRE(summary);
  CHECK(summary->commits == 3);
  CHECK(contents(store) == x.owner.state);
}

// -- memory -------------------------------------------------------------------

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

// -- proofs -------------------------------------------------------------------

TEST_CASE("verify finds any difference between state and commit record") {
  small_history x;
  memory_backend store;
  auto summary = restore(store, x.log);
  REQUIRE(summary);
  REQUIRE(verify(store, summary->commit));
  change_batch damage;
  SECTION("a changed value") {
    damage.put(key("a"), "4");
  }
  SECTION("a lost key") {
    damage.erase(key("a"));
  }
  SECTION("an added key") {
    damage.put(key("x"), "");
  }
  REQUIRE(store.write(damage, false));
  auto verified = verify(store, summary->commit);
  REQUIRE_FALSE(verified);
  CHECK(verified.error().code() == ec::corruption);
}

TEST_CASE("verify of a store without a commit demands an empty one") {
  memory_backend store;
  CHECK(verify(store, std::nullopt));
  change_batch stray;
  stray.put(key("a"), "1");
  REQUIRE(store.write(stray, false));
  CHECK_FALSE(verify(store, std::nullopt));
}

TEST_CASE("S2: empty proves nothing, only these facts do") {
  past x;
  CHECK(is_provably_new(x));
  x.changelog = {0, 7};
  // A torn first transaction: aborted records and a marker.
  CHECK(is_provably_new(x));
  x.any_record = true;
  CHECK_FALSE(is_provably_new(x));
  x.any_record = false;
  // What was below may have been a commit.
  x.changelog = {3, 7};
  CHECK_FALSE(is_provably_new(x));
  x.changelog = {7, 7};
  CHECK_FALSE(is_provably_new(x));
  x.changelog = {};
  x.born = true;
  CHECK_FALSE(is_provably_new(x));
  x.born = false;
  x.has_snapshot = true;
  CHECK_FALSE(is_provably_new(x));
}

// -- random histories ---------------------------------------------------------

/// Random commits, torn transactions, claims, compactions and local stores of
/// any age, each with every kind of bound.
void random_history(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  auto pick = [&](std::uint64_t n) { return random() % n; };
  auto some = [&] {
    changes out;
    for (auto n = pick(6); n > 0; --n) {
      auto k = key(std::string(1, static_cast<char>('a' + pick(8))));
      if (pick(4) == 0)
        out[k] = std::nullopt;
      else
        out[k] = std::to_string(random());
    }
    return out;
  };
  test::changelog log;
  test::owner owner{log};
  std::vector<std::unique_ptr<memory_backend>> stores;
  stores.push_back(std::make_unique<memory_backend>());
  for (auto steps = 1 + pick(30); steps > 0; --steps) {
    switch (pick(8)) {
    case 0: {
      auto torn = some();
      owner.send(torn, torn.empty() ? 0 : 1 + pick(torn.size()));
      // The new owner writes the keys again before anything else.
      owner.claim();
      auto summary = restore(*stores.front(), log, 1 + pick(64));
      REQUIRE(summary);
      changes again = some();
      for (auto& each : summary->torn_keys)
        again.try_emplace(each.key, each.value);
      owner.commit(again);
      break;
    }
    case 1:
      owner.claim();
      break;
    case 2:
      if (!owner.history.empty())
        log.compact(owner.history[pick(owner.history.size())].position -
                    static_cast<std::int64_t>(pick(4)));
      break;
    case 3: {
      auto store = std::make_unique<memory_backend>();
      REQUIRE(restore(*store, log, 1 + pick(64)));
      stores.push_back(std::move(store));
      break;
    }
    default:
      owner.commit(some());
    }
  }
  if (pick(2) == 0)
    owner.send(some());
  stores.push_back(std::make_unique<memory_backend>());
  for (auto& store : stores) {
    auto summary = restore(*store, log, 1 + pick(64));
    REQUIRE(summary);
    CHECK(contents(*store) == owner.state);
    CHECK(verify(*store, summary->commit));
    CHECK(leftovers(*store) == 0);
    if (!owner.history.empty()) {
      CHECK(summary->commit == owner.history.back().record);
      CHECK(summary->position == owner.history.back().position);
    }
    for (auto& each : summary->torn_keys) {
      auto i = owner.state.find(each.key);
      CHECK(each.value ==
            (i == owner.state.end() ? std::nullopt : std::optional{i->second}));
    }
  }
}

TEST_CASE("every local store of any age restores to the last commit, in random "
          "histories") {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    INFO("seed " << seed);
    random_history(seed);
  }
}

} // namespace
} // namespace weir
