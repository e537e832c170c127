// Values of a store as objects: changed in place, undone, of any size.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "test/unit/stores/kv/state_support.hpp"

namespace weir {

using fixture = state_fixture;

TEST_CASE("a value can be changed in place", "[store]") {
  fixture f;
  f.names["a"] = "1";
  f.names["a"] += "2";
  CHECK(f.names.get("a") == "12");
  CHECK(f.commit() == std::vector<sealed_record>{{"\x01"
                                                  "a",
                                                  "12"}});
  // Of the database, after the cache has forgotten it.
  f.state.release_spare();
  f.state.begin_record();
  f.names["a"] += "3";
  f.names["a"] += "4";
  f.names["b"];
  f.names.erase("b");
  CHECK(f.names.get("a") == "1234");
  f.state.undo_record();
  CHECK(f.names.get("a") == "12");
  CHECK_FALSE(f.names.contains("b"));
  f.state.begin_record();
  f.names.put("a", "new");
  f.names["a"] += "er";
  f.names["c"];
  f.state.accept_record();
  CHECK(f.commit() == std::vector<sealed_record>{{"\x01"
                                                  "a",
                                                  "newer"},
                                                 {"\x01"
                                                  "c",
                                                  ""}});
}

TEST_CASE("what grows in place counts once its record is accepted", "[store]") {
  fixture f;
  f.names.put("a", "");
  CHECK(f.state.overlay_bytes() < 1'000);
  f.state.begin_record();
  f.names["a"].assign(10'000, 'x');
  f.state.accept_record();
  CHECK(f.state.overlay_bytes() >= 10'000);
  f.state.begin_record();
  f.names["a"].assign(10'000, 'y');
  f.state.undo_record();
  CHECK(f.names.get("a") == std::string(10'000, 'x'));
  f.commit();
  CHECK(f.state.overlay_bytes() == 0);
}

TEST_CASE("many values of one record are undone, each to what it was",
          "[store]") {
  fixture f;
  for (int i = 0; i < 500; ++i)
    f.names.put(std::to_string(i), "old");
  f.commit();
  for (int round = 0; round < 3; ++round) {
    f.state.begin_record();
    for (int i = 0; i < 1'000; ++i) {
      auto key = std::to_string(i);
      if (i % 3 == 0)
        f.names.erase(key);
      else if (i % 3 == 1)
        f.names.put(key, "new");
      else
        f.names[key] += "new";
    }
    f.state.undo_record();
    for (int i = 0; i < 1'000; ++i)
      REQUIRE(f.names.contains(std::to_string(i)) == (i < 500));
    CHECK(f.commit().empty());
  }
}

/// Neither small nor of ordinary alignment, and a table that lives elsewhere.
struct alignas(64) wide {
  std::vector<std::string> parts;
  double weight = 0;
};
WEIR_FIELDS(wide, parts, weight)

TEST_CASE("values of any size and alignment, under keys of several parts",
          "[store]") {
  memory_backend database;
  task_state state{database, {2'000}};
  using key = std::pair<std::string, std::int32_t>;
  auto store = state.open<key, wide>(1, "wide");
  auto aligned = [](const void* x) {
    return reinterpret_cast<std::uintptr_t>(x) % 64 == 0;
  };
  for (int i = -50; i < 50; ++i) {
    auto& x = store[{"a", i}];
    CHECK(aligned(&x));
    x.parts.assign(3, std::string(30, 'x'));
    x.weight = i;
    store.put({"b", i}, x);
  }
  REQUIRE(state.seal());
  REQUIRE(state.apply({}));
  int expected = -50;
  store.prefix("a", [&](const key& at, const wide& x) {
    CHECK(at == key{"a", expected});
    CHECK(x.weight == expected++);
    CHECK(x.parts.size() == 3);
    CHECK(aligned(&x));
  });
  CHECK(expected == 50);
  int seen = 0;
  store.range({"a", 40}, {"b", -40}, [&](const key&, const wide&) { ++seen; });
  CHECK(seen == 20);
  CHECK(store.committed({"b", 7})->weight == 7);
  CHECK_FALSE(store.committed({"c", 7}));
}

// The address sanitizer sees a key that is looked at again.
TEST_CASE("a key may lie in a value that its own load evicts", "[store]") {
  fixture f{64};
  std::string far(100, 'k');
  f.names.put("a", far);
  f.names.put(far, "1");
  f.commit();
  for (int i = 0; i < 3; ++i) {
    auto* key = f.names.find("a");
    REQUIRE(key != nullptr);
    f.names[*key] += "2";
    f.commit();
  }
  f.names.put(*f.names.find("a"), *f.names.get(*f.names.find("a")) + "3");
  CHECK(f.names.get(far) == "12223");
  f.names.erase(*f.names.find("a"));
  CHECK_FALSE(f.names.contains(far));
}

} // namespace weir
