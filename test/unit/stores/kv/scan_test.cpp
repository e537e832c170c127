// Ranges and prefixes over the merged view of overlay and database.
#include <catch2/catch.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "weir/store.hpp"
#include "stores/kv/task_state.hpp"
#include "test/driver/memory_backend.hpp"

namespace weir {
namespace {

using strings = std::vector<std::string>;

struct fixture {
  void commit() {
    REQUIRE(state.seal());
    REQUIRE(state.apply({}));
  }
  /// "key=value" of all that a scan visits.
  auto into(strings& out) {
    return [&out](const std::string& key, const std::string& value) {
      out.push_back(key + "=" + value);
    };
  }
  strings all() {
    strings out;
    names.for_each(into(out));
    return out;
  }

  memory_backend database;
  task_state state{database, {512}};
  kv_store<std::string, std::string> names{
      state.open<std::string, std::string>(7, "names")};
};

} // namespace

TEST_CASE("dirty goes over frozen goes over committed", "[scan]") {
  fixture f;
  for (auto* key : {"a", "b", "c", "d", "e", "f"})
    f.names.put(key, "committed");
  f.commit();
  f.names.put("b", "frozen");
  f.names.put("c", "frozen");
  f.names.put("bb", "frozen");
  f.names.erase("d");
  REQUIRE(f.state.seal());
  f.names.put("c", "dirty");
  f.names.put("d", "dirty");
  f.names.put("0", "dirty");
  f.names.put("z", "dirty");
  f.names.erase("bb");
  f.names.erase("e");
  CHECK(f.all() == strings{"0=dirty", "a=committed", "b=frozen", "c=dirty",
                           "d=dirty", "f=committed", "z=dirty"});
  strings committed;
  f.names.for_each_committed(f.into(committed));
  CHECK(committed.size() == 6);
  REQUIRE(f.state.apply({}));
  CHECK(f.all() == strings{"0=dirty", "a=committed", "b=frozen", "c=dirty",
                           "d=dirty", "f=committed", "z=dirty"});
  committed.clear();
  f.names.for_each_committed(f.into(committed));
  CHECK(committed == strings{"a=committed", "b=frozen", "bb=frozen",
                             "c=frozen", "e=committed", "f=committed"});
}

TEST_CASE("a range is half open", "[scan]") {
  fixture f;
  f.names.put_many({{"a", "1"}, {"b", "1"}, {"c", "1"}});
  f.commit();
  f.names.put_many({{"aa", "2"}, {"c", "2"}, {"d", "2"}});
  strings out;
  f.names.range("a", "c", f.into(out));
  CHECK(out == strings{"a=1", "aa=2", "b=1"});
  out.clear();
  f.names.range_from("b", f.into(out));
  CHECK(out == strings{"b=1", "c=2", "d=2"});
  out.clear();
  f.names.range("c", "a", f.into(out));
  f.names.range("b", "b", f.into(out));
  CHECK(out.empty());
}

TEST_CASE("prefixes end where they end, also after 0xff", "[scan]") {
  fixture f;
  f.names.put_many({{"a", "1"}, {"ab", "1"}, {"ab\xff", "1"}, {"ac", "1"}});
  f.commit();
  f.names.put_many({{"abc", "2"}, {"\xff", "2"}, {"\xff\xff", "2"}});
  strings out;
  f.names.prefix("ab", f.into(out));
  CHECK(out == strings{"ab=1", "abc=2", "ab\xff=1"});
  out.clear();
  f.names.prefix("\xff", f.into(out));
  CHECK(out == strings{"\xff=2", "\xff\xff=2"});
  out.clear();
  f.names.prefix("ab\xff", f.into(out));
  CHECK(out == strings{"ab\xff=1"});
  out.clear();
  f.names.prefix("", f.into(out));
  CHECK(out.size() == 7);
}

TEST_CASE("a scan stays in its store", "[scan]") {
  fixture f;
  for (int number : {6, 8}) {
    auto other = f.state.open<std::string, std::string>(number, "other");
    other.put("", "x");
    other.put("\xff\xff", "x");
  }
  f.names.put("", "first");
  f.names.put("\xff\xff\xff", "last");
  strings expected{"=first", "\xff\xff\xff=last"};
  CHECK(f.all() == expected);
  f.commit();
  CHECK(f.all() == expected);
  strings out;
  f.names.for_each_committed(f.into(out));
  CHECK(out == expected);
}

TEST_CASE("numbers come in the order of their values", "[scan]") {
  memory_backend database;
  task_state state{database};
  kv_store<double, int> store{state.open<double, int>(1, "numbers")};
  store.put(10, 1);
  store.put(-0.0, 2);
  store.put(-7.5, 3);
  REQUIRE(state.seal());
  REQUIRE(state.apply({}));
  store.put(2, 4);
  store.put(0.0, 5);
  std::vector<std::pair<double, int>> out;
  store.for_each([&](double key, int value) { out.emplace_back(key, value); });
  CHECK(out == std::vector<std::pair<double, int>>{
                   {-7.5, 3}, {0.0, 5}, {2, 4}, {10, 1}});
}

TEST_CASE("a callback that answers false ends the scan", "[scan]") {
  fixture f;
  f.names.put_many({{"a", "1"}, {"c", "1"}});
  f.commit();
  f.names.put_many({{"b", "2"}, {"d", "2"}});
  for (std::size_t limit = 1; limit <= 4; ++limit) {
    strings out;
    f.names.for_each([&](const std::string& key, const std::string&) {
      out.push_back(key);
      return out.size() < limit;
    });
    CHECK(out.size() == limit);
  }
}

TEST_CASE("a callback may change the store it looks at", "[scan]") {
  fixture f;
  f.names.put_many({{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}});
  f.commit();
  f.names.put_many({{"b", "2"}, {"e", "2"}});
  f.names.erase("d");
  strings out;
  f.names.for_each([&](const std::string& key, const std::string& value) {
    f.names.put(key, "changed");
    f.names.put(key + "+", "new");
    f.names.put("c", "changed");
    f.names.put("d", "back");
    f.names.erase("e");
    f.names.put("zz", "new");
    out.push_back(key + "=" + value);
  });
  CHECK(out == strings{"a=1", "b=2", "c=1", "e=2"});
  CHECK(f.all() == strings{"a=changed", "a+=new", "b=changed", "b+=new",
                           "c=changed", "c+=new", "d=back", "e+=new",
                           "zz=new"});
}

TEST_CASE("scans nest", "[scan]") {
  fixture f;
  f.names.put_many({{"a", "1"}, {"b", "1"}});
  strings outer, inner;
  f.names.for_each([&](const std::string& key, const std::string& value) {
    f.names.put(key + "+", "new");
    outer.push_back(key + "=" + value);
    f.names.for_each([&](const std::string& key, const std::string& value) {
      f.names.put(key, "x");
      inner.push_back(key + "=" + value);
    });
  });
  CHECK(outer == strings{"a=1", "b=1"});
  CHECK(inner ==
        strings{"a=1", "a+=new", "b=1", "a=x", "a+=x", "b=x", "b+=new"});
}

TEST_CASE("a long scan goes over the borders of its pieces", "[scan]") {
  memory_backend database;
  task_state state{database};
  kv_store<int, std::string> store{state.open<int, std::string>(1, "long")};
  constexpr int count = 5000;
  for (int i = 0; i < count; ++i)
    store.put(i, i % 1000 == 7 ? std::string(300'000, 'x') : "small");
  REQUIRE(state.seal());
  REQUIRE(state.apply({}));
  store.put(count, "dirty");
  store.erase(16);
  std::vector<int> expected, seen, committed;
  for (int i = 0; i <= count; ++i)
    if (i != 16)
      expected.push_back(i);
  store.for_each([&](int key, const std::string&) {
    seen.push_back(key);
    store.erase(key + 1);
    CHECK(store.committed(16) == "small");
  });
  CHECK(seen == expected);
  store.for_each_committed(
      [&](int key, const std::string&) { committed.push_back(key); });
  CHECK(committed.size() == count);
  CHECK(std::is_sorted(committed.begin(), committed.end()));
}

TEST_CASE("a callback that throws ends the scan cleanly", "[scan]") {
  fixture f;
  f.names.put("a", "1");
  f.commit();
  f.names.put("b", "1");
  for (auto* at : {"a", "b"})
    CHECK_THROWS_AS(f.names.for_each([&](auto& key, auto&) {
      if (key == at)
        throw std::runtime_error{"user code"};
    }),
                    std::runtime_error);
  f.commit(); // asserts that no scan is running
  CHECK(f.all() == strings{"a=1", "b=1"});
}

TEST_CASE("the order of the overlay survives undo and drop", "[scan]") {
  fixture f;
  f.names.put("b", "1");
  CHECK(f.all() == strings{"b=1"});
  f.state.begin_record();
  f.names.put("a", "2");
  f.names.put("b", "2");
  CHECK(f.all() == strings{"a=2", "b=2"});
  f.state.undo_record();
  CHECK(f.all() == strings{"b=1"});
  f.state.drop();
  CHECK(f.all().empty());
  f.names.put("c", "1");
  CHECK(f.all() == strings{"c=1"});
}

TEST_CASE("validators see what changed since the seal", "[scan]") {
  fixture f;
  f.names.put_many({{"a", "1"}, {"b", "1"}, {"c", "1"}});
  f.commit();
  f.names.put("c", "2");
  f.names.erase("a");
  strings out;
  f.names.for_each_changed([&](const std::string& key, const std::string* now) {
    out.push_back(key + (now != nullptr ? "=" + *now : " erased"));
  });
  CHECK(out == strings{"c=2", "a erased"});
}

} // namespace weir
