#include <catch2/catch.hpp>

#include "stores/replay/continuity.hpp"
#include "test/unit/stores/changelog/changelog_support.hpp"

namespace weir {
namespace {

using test::changelog;
using test::key;
using test::owner;

/// Of a store that is at that commit.
database_metadata facts_at(const owner::past_commit& x) {
  database_metadata out;
  out.commit = x.record;
  out.position = {x.position, x.record.by, checksum(x.record)};
  return out;
}

/// What the records from `start` on say.
continuity look(const changelog& log, const database_metadata& metadata,
                std::int64_t start = 0) {
  continuity out{metadata, start};
  for (auto& each : log.records)
    if (each.offset >= start) {
      auto view = each.view();
      out.see(view, *origin_of(view));
    }
  return out;
}

/// Five commits of two owners, a torn transaction between them.
struct two_owners {
  changelog log;
  owner by{log};

  two_owners() {
    for (int i = 1; i <= 3; ++i)
      by.commit({{key("a"), std::to_string(i)}, {key("b"), "x"}});
    by.send({{key("torn"), "x"}});
    by.claim();
    for (int i = 4; i <= 5; ++i)
      by.commit({{key("a"), std::to_string(i)}});
  }
};

} // namespace

TEST_CASE("R5: a changelog goes on at each of its commits", "[continuity]") {
  two_owners x;
  for (auto& at : x.by.history)
    for (bool compacted : {false, true}) {
      auto log = x.log;
      if (compacted)
        log.compact(log.end);
      auto metadata = facts_at(at);
      for (auto start : {std::int64_t{0}, at.position - 1, at.position}) {
        auto seen = look(log, metadata, start);
        CHECK(seen.check());
        CHECK(seen.has_later() ==
              (at.position != x.by.history.back().position));
      }
      // R6: the broker never said the offset.
      metadata.position.reset();
      CHECK(look(log, metadata).check());
    }
}

TEST_CASE("R5: a position may be that of an older commit", "[continuity]") {
  two_owners x;
  auto metadata = facts_at(x.by.history[3]);
  metadata.position = facts_at(x.by.history[1]).position;
  auto seen = look(x.log, metadata);
  CHECK(seen.check());
  CHECK(seen.has_later());
}

TEST_CASE("R5: a changelog that lost the store's commit", "[continuity]") {
  two_owners x;
  auto metadata = facts_at(x.by.history.back());
  while (x.log.records.back().offset + 2 >= x.log.end)
    x.log.records.pop_back();
  auto seen = look(x.log, metadata);
  REQUIRE_FALSE(seen.check());
  CHECK(seen.check().error().code() == ec::data_loss);
}

TEST_CASE("R5: a changelog written anew over the store's", "[continuity]") {
  two_owners x;
  auto metadata = facts_at(x.by.history[2]);
  SECTION("by a later owner, from before the store's position") {
    changelog other;
    owner by{other};
    by.claim();
    by.claim();
    for (int i = 0; i < 9; ++i)
      by.commit({{key("c"), std::to_string(i)}});
    // Not only the record at the position tells.
    std::erase_if(other.records, [&](auto& each) {
      return each.offset == metadata.position->offset - 1;
    });
    CHECK_FALSE(look(other, metadata).check());
  }
  SECTION("by an owner whose epoch began again") {
    metadata = facts_at(x.by.history.back());
    changelog other;
    owner by{other};
    for (int i = 0; i < 20; ++i)
      by.commit({{key("c"), std::to_string(i)}});
    CHECK_FALSE(look(other, metadata).check());
    CHECK_FALSE(look(other, metadata, metadata.position->offset).check());
  }
  SECTION("with another commit at the same place") {
    changelog other;
    owner by{other};
    for (int i = 1; i <= 3; ++i)
      by.commit({{key("a"), std::to_string(i)}, {key("b"), "y"}});
    CHECK_FALSE(look(other, metadata).check());
  }
}

} // namespace weir
