#include <catch2/catch.hpp>

#include <memory>
#include <random>
#include <vector>

#include "stores/replay/restore.hpp"
#include "test/driver/memory_backend.hpp"
#include "test/unit/stores/replay/restore_support.hpp"

namespace weir {
namespace {

using test::changes;
using test::contents;
using test::key;
using test::leftovers;
using test::restore;
using test::small_history;

// -- proofs

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

TEST_CASE("S2: empty proves nothing, only these metadata do") {
  birth_evidence x;
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
  // An operator accepted the loss of what was below.
  x.empty_below = 7;
  CHECK(is_provably_new(x));
  x.any_record = true;
  CHECK_FALSE(is_provably_new(x));
  x.any_record = false;
  x.changelog = {8, 9};
  CHECK_FALSE(is_provably_new(x));
  x.empty_below = 0;
  x.changelog = {};
  x.born = true;
  CHECK_FALSE(is_provably_new(x));
  x.born = false;
  x.has_snapshot = true;
  CHECK_FALSE(is_provably_new(x));
}

// -- random histories

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
