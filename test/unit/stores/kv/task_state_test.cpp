// The way of a value through overlay, cache, seal, apply, undo and drop.
#include <catch2/catch.hpp>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stores/changelog/raw_key.hpp"
#include "stores/kv/json_serde.hpp"
#include "stores/kv/store_error.hpp"
#include "test/unit/stores/kv/state_support.hpp"

namespace weir {
namespace {

using fixture = state_fixture;

/// Counts what happens to values of its kind.
struct counted {
  static inline int encoded = 0;
  static inline int decoded = 0;
  int number = 0;
};

} // namespace

template <>
struct serde<counted> {
  static void encode(const counted& x, std::string& out) {
    ++counted::encoded;
    serde<int>::encode(x.number, out);
  }
  static bool decode(std::string_view in, counted& x) {
    ++counted::decoded;
    return serde<int>::decode(in, x.number);
  }
};

TEST_CASE("a store has what was put and not what was erased", "[store]") {
  fixture f;
  CHECK(f.names.find("a") == nullptr);
  f.names.put("a", "1");
  REQUIRE(f.names.find("a") != nullptr);
  CHECK(*f.names.find(std::string_view{"a"}) == "1");
  f.names.put("a", "2");
  CHECK(f.names.get("a") == "2");
  f.names.erase("a");
  CHECK_FALSE(f.names.contains("a"));
  f.names.erase("never there");
}

TEST_CASE("many keys at once", "[store]") {
  fixture f;
  f.names.put_many({{"a", "1"}, {"b", "2"}});
  f.names.put_many(std::map<std::string, std::string>{{"c", "3"}});
  auto found = f.names.get_many({"c", "x", "a"});
  CHECK(found ==
        std::vector<std::optional<std::string>>{"3", std::nullopt, "1"});
}

TEST_CASE("one record a changed key and commit, in order of first change",
          "[store][seal]") {
  fixture f;
  for (int i = 0; i < 1000; ++i)
    f.names.put("hot", std::to_string(i));
  f.names.put("b", "x");
  CHECK(f.seal() == std::vector<sealed_record>{{"\x01hot", "999"},
                                               {"\x01"
                                                "b",
                                                "x"}});
  CHECK(f.state.sealed_changes().at(1) ==
        std::pair{std::string_view{"\x01"
                                   "b"},
                  std::optional<std::string_view>{"x"}});
  CHECK(f.state.sealed_changes().size() == 2);
  CHECK(f.state.sealed());
  REQUIRE(f.state.apply({}));
  CHECK_FALSE(f.state.sealed());
  CHECK(f.commit().empty());
}

TEST_CASE("values are encoded once a seal and decoded once a load",
          "[store][seal]") {
  memory_backend database;
  task_state state{database};
  kv_store<int, counted> store{state.open<int, counted>(1, "counted")};
  counted::encoded = counted::decoded = 0;
  for (int i = 0; i < 50; ++i)
    store.put(1, {i});
  REQUIRE(state.seal());
  REQUIRE(state.apply({}));
  CHECK(counted::encoded == 1);
  CHECK(store.find(1)->number == 49);
  CHECK(counted::decoded == 0);
  task_state again{database, {}, state.digest()};
  kv_store<int, counted> reopened{again.open<int, counted>(1, "counted")};
  for (int i = 0; i < 50; ++i)
    CHECK(reopened.find(1)->number == 49);
  CHECK(counted::decoded == 1);
}

TEST_CASE("the database changes at the apply, all at once", "[store][seal]") {
  fixture f;
  f.names.put("a", "1");
  CHECK(f.database.size() == 0);
  f.seal();
  CHECK(f.database.size() == 0);
  CHECK(f.names.committed("a") == std::nullopt);
  change_batch metadata;
  metadata.put(std::string("\0commit", 7), "record");
  REQUIRE(f.state.apply(metadata));
  CHECK(f.database.size() == 2);
  CHECK(f.names.committed("a") == "1");
  std::string value;
  CHECK(f.database.get(std::string("\0commit", 7), value).value());
  CHECK(value == "record");
  CHECK(f.state.verify_digest());
}

TEST_CASE("a key changed again while sealed goes with the next commit",
          "[store][seal]") {
  fixture f;
  f.names.put("a", "1");
  f.names.put("b", "1");
  f.names.put("c", "1");
  f.seal();
  f.names.put("a", "2");
  f.names.erase("b");
  CHECK(f.names.get("a") == "2");
  REQUIRE(f.state.apply({}));
  CHECK(f.names.committed("a") == "1");
  CHECK(f.names.committed("b") == "1");
  CHECK(f.names.get("a") == "2");
  CHECK_FALSE(f.names.contains("b"));
  CHECK(f.commit() == std::vector<sealed_record>{{"\x01"
                                                  "a",
                                                  "2"},
                                                 {"\x01"
                                                  "b",
                                                  std::nullopt}});
  CHECK(f.names.committed("a") == "2");
  CHECK(f.names.committed("b") == std::nullopt);
  CHECK(f.names.committed("c") == "1");
}

TEST_CASE("erasing what is not committed makes no record", "[store][seal]") {
  fixture f;
  f.names.put("a", "1");
  f.names.erase("a");
  f.names.erase("never there");
  CHECK(f.commit().empty());
  CHECK(f.database.size() == 0);
  f.names.put("a", "1");
  f.commit();
  f.names.erase("a");
  CHECK(f.commit() == std::vector<sealed_record>{{"\x01"
                                                  "a",
                                                  std::nullopt}});
  CHECK(f.state.digest() == 0);
}

TEST_CASE("the digest depends on the state, not on its history",
          "[store][digest]") {
  fixture one;
  one.names.put("a", "1");
  one.commit();
  one.names.put("b", "2");
  one.names.put("a", "3");
  one.commit();

  fixture two;
  two.names.put("b", "2");
  two.names.put("a", "0");
  two.names.put("c", "gone");
  two.commit();
  two.names.erase("c");
  two.names.put("a", "3");
  two.commit();
  CHECK(one.state.digest() == two.state.digest());

  two.names.put("a", "4");
  two.commit();
  CHECK(one.state.digest() != two.state.digest());
}

TEST_CASE("the digest stays right for keys that were never read",
          "[store][digest]") {
  fixture f;
  f.names.put("a", "1");
  f.names.put("b", "1");
  f.names.put("c", "1");
  f.commit();
  task_state blind{f.database, {}, f.state.digest()};
  kv_store<std::string, std::string> names{
      blind.open<std::string, std::string>(1, "names")};
  names.put("a", "2");
  names.erase("b");
  names.erase("never there");
  names.put("d", "2");
  auto sealed = blind.seal();
  REQUIRE(sealed);
  CHECK(sealed->records == 3);
  REQUIRE(blind.apply({}));
  CHECK(blind.verify_digest());
}

TEST_CASE("a damaged database fails the digest", "[store][digest]") {
  fixture f;
  f.names.put("a", "1");
  f.commit();
  change_batch damage;
  damage.put("\x01"
             "a",
             "2");
  REQUIRE(f.database.write(damage, false));
  auto checked = f.state.verify_digest();
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code() == ec::corruption);
}

// -- undo and drop

TEST_CASE("undo takes back one record's changes and no others",
          "[store][undo]") {
  fixture f;
  f.names.put("committed", "1");
  f.names.put("frozen", "1");
  f.commit();
  f.names.put("frozen", "2");
  f.seal();
  f.names.put("earlier", "1");
  auto bytes_before = f.state.overlay_bytes();
  f.state.begin_record();
  f.names.put("committed", "2");
  f.names.put("committed", "3");
  f.names.erase("frozen");
  f.names.put("earlier", "2");
  f.names.put("fresh", "1");
  f.names.erase("blind");
  f.state.undo_record();
  CHECK(f.state.overlay_bytes() == bytes_before);
  CHECK(f.state.changed() == 1);
  CHECK(f.names.get("committed") == "1");
  CHECK(f.names.get("frozen") == "2");
  CHECK(f.names.get("earlier") == "1");
  CHECK_FALSE(f.names.contains("fresh"));
  REQUIRE(f.state.apply({}));
  CHECK(f.commit() == std::vector<sealed_record>{{"\x01"
                                                  "earlier",
                                                  "1"}});
}

TEST_CASE("undo of a blind write does not hide what is committed",
          "[store][undo]") {
  fixture f;
  f.names.put("a", "1");
  f.commit();
  f.state.drop();
  f.state.begin_record();
  f.names.erase("a");
  f.state.undo_record();
  CHECK(f.names.get("a") == "1");
}

TEST_CASE("an accepted record stays when the next one is undone",
          "[store][undo]") {
  fixture f;
  f.state.begin_record();
  f.names.put("a", "1");
  f.state.accept_record();
  f.state.begin_record();
  f.names.put("a", "2");
  f.state.undo_record();
  CHECK(f.names.get("a") == "1");
  CHECK(f.commit() == std::vector<sealed_record>{{"\x01"
                                                  "a",
                                                  "1"}});
}

TEST_CASE("drop leaves what is in the database", "[store][drop]") {
  fixture f;
  f.names.put("a", "1");
  f.commit();
  f.names.put("a", "2");
  f.names.put("b", "2");
  f.seal();
  f.names.put("a", "3");
  f.state.begin_record();
  f.names.put("c", "3");
  f.state.drop();
  CHECK(f.state.overlay_bytes() == 0);
  CHECK(f.names.get("a") == "1");
  CHECK_FALSE(f.names.contains("b"));
  CHECK_FALSE(f.names.contains("c"));
  f.names.put("b", "4");
  CHECK(f.commit() == std::vector<sealed_record>{{"\x01"
                                                  "b",
                                                  "4"}});
}

// -- bounds

TEST_CASE("the cache keeps its bound, the overlay stays", "[store][cache]") {
  constexpr std::size_t bound = 4096;
  fixture f{bound};
  for (int i = 0; i < 1000; ++i)
    f.names.put(std::to_string(i), "value");
  CHECK(f.state.cache_bytes() == 0);
  auto dirty_bytes = f.state.overlay_bytes();
  CHECK(dirty_bytes > 1000 * sizeof(std::string));
  f.seal();
  CHECK(f.state.overlay_bytes() > dirty_bytes);
  REQUIRE(f.state.apply({}));
  CHECK(f.state.overlay_bytes() == 0);
  CHECK(f.state.cache_bytes() <= bound);
  for (int i = 0; i < 1000; ++i) {
    CHECK(f.names.get(std::to_string(i)) == "value");
    CHECK_FALSE(f.names.contains("absent " + std::to_string(i)));
    REQUIRE(f.state.cache_bytes() <= bound);
  }
}

TEST_CASE("a key in use survives a stream of others", "[store][cache]") {
  memory_backend database;
  task_state state{database, {4096}};
  auto& core = state.open(1, "counted", detail::spec_of<int, counted>);
  kv_store<int, counted> map{core};
  for (int i = 0; i < 1000; ++i)
    map.put(i, {i});
  REQUIRE(state.seal());
  REQUIRE(state.apply({}));
  map.find(0);
  counted::decoded = 0;
  for (int i = 1; i < 1000; ++i) {
    map.find(i);
    CHECK(map.find(0)->number == 0);
  }
  CHECK(counted::decoded < 1000);
  CHECK(core.in_memory() < 60);
}

TEST_CASE("a value larger than the cache is still found", "[store][cache]") {
  fixture f{64};
  f.names.put("big", std::string(10'000, 'x'));
  f.commit();
  auto* found = f.names.find("big");
  REQUIRE(found != nullptr);
  CHECK(found->size() == 10'000);
  CHECK(f.names.find("other") == nullptr);
  CHECK(f.state.cache_bytes() < 10'000);
}

} // namespace weir
