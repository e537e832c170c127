// Several stores of a task, and what they refuse.
#include <catch2/catch.hpp>

#include <string>

#include "stores/kv/store_error.hpp"
#include "test/unit/stores/kv/state_support.hpp"

namespace weir {
namespace {

using fixture = state_fixture;

struct fussy {
  bool encodable = true;
};

} // namespace

template <>
struct serde<fussy> {
  static void encode(const fussy& x, std::string& out) {
    if (!x.encodable)
      throw store_error{ec::bad_format, "fussy"};
    out += 'f';
  }
  static bool decode(std::string_view in, fussy&) { return in == "f"; }
};

TEST_CASE("stores do not see each other's keys", "[store]") {
  fixture f;
  kv_store<std::string, std::string> other{
      f.state.open<std::string, std::string>(2, "other")};
  f.names.put("a", "1");
  other.put("a", "2");
  f.commit();
  CHECK(f.names.committed("a") == "1");
  CHECK(other.committed("a") == "2");
  f.names.erase("a");
  CHECK(other.get("a") == "2");
}

TEST_CASE("a store number has one name and one type", "[store]") {
  fixture f;
  auto same = f.state.open<std::string, std::string>(1, "names");
  same.put("a", "1");
  CHECK(f.names.get("a") == "1");
  CHECK_THROWS_AS((f.state.open<std::string, std::string>(1, "x")),
                  store_error);
  CHECK_THROWS_AS((f.state.open<std::string, int>(1, "names")), store_error);
  CHECK_THROWS_AS((f.state.open<int, int>(0, "x")), store_error);
  CHECK_THROWS_AS((f.state.open<int, int>(251, "x")), store_error);
}

TEST_CASE("bytes of another type are corruption", "[store]") {
  fixture f;
  f.names.put("a", "not a number");
  f.commit();
  task_state again{f.database};
  kv_store<std::string, int> numbers{again.open<std::string, int>(1, "names")};
  try {
    numbers.find("a");
    FAIL("must throw");
  } catch (const store_error& what) {
    CHECK(what.reason().code() == ec::corruption);
    CHECK(what.reason().text().find("'names'") != std::string::npos);
    CHECK(what.reason().text().find("0161") != std::string::npos);
  }
  CHECK_THROWS_AS(numbers.for_each([](auto&, auto&) {}), store_error);
  CHECK_THROWS_AS(numbers.committed("a"), store_error);
}

TEST_CASE("a closed database fails every way to it", "[store]") {
  fixture f;
  f.names.put("a", "1");
  f.commit();
  f.names.put("blind", "1");
  f.database.close();
  CHECK(f.names.get("a") == "1"); // cached
  CHECK_THROWS_AS(f.names.find("b"), store_error);
  CHECK_THROWS_AS(f.names.for_each([](auto&, auto&) {}), store_error);
  CHECK(f.state.seal().error().code() == ec::closed);
  CHECK(f.state.verify_digest().error().code() == ec::closed);
  f.state.drop();
  CHECK(f.state.overlay_bytes() == 0);
}

TEST_CASE("a failed apply keeps nothing but the way out", "[store]") {
  fixture f;
  f.names.put("a", "1");
  f.seal();
  f.database.close();
  auto done = f.state.apply({});
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == ec::closed);
  f.state.drop();
  CHECK_FALSE(f.state.sealed());
}

TEST_CASE("a serde that refuses fails the seal", "[store][seal]") {
  memory_backend database;
  task_state state{database};
  kv_store<int, fussy> store{state.open<int, fussy>(1, "fussy")};
  store.put(1, {true});
  store.put(2, {false});
  store.put(3, {true});
  auto done = state.seal();
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == ec::bad_format);
  state.drop();
  CHECK_FALSE(store.contains(1));
  store.put(3, {true});
  REQUIRE(state.seal());
  REQUIRE(state.apply({}));
  CHECK(state.verify_digest());
  CHECK(database.size() == 1);
}

} // namespace weir
