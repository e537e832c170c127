// The znode semantics that both implementations promise: data and errors.
#include "test/conformance/coordination_suite.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "runtime/coordination/znode_checks.hpp"
#include "test/conformance/awaiting.hpp"

using namespace weir;
using namespace weir::test;

using kind = znode_op::kind;

TEST_CASE("create, get, set and remove") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  talk to{*session};

  CHECK(to.create("/a", "one") == std::string{"/a"});
  auto first = to.get("/a");
  REQUIRE(outcome(first) == "ok");
  CHECK(first->data == "one");
  CHECK(first->stat.version == 0);
  CHECK(first->stat.czxid > 0);
  CHECK(first->stat.ephemeral_owner == 0);

  auto stat = to.set("/a", "two", 0);
  REQUIRE(outcome(stat) == "ok");
  CHECK(stat->version == 1);
  CHECK(stat->czxid == first->stat.czxid);
  CHECK(to.set("/a", "three")->version == 2);
  CHECK(to.get("/a")->data == "three");
  CHECK(to.get("/a")->stat.version == 2);

  CHECK(outcome(to.remove("/a", 2)) == "ok");
  CHECK(outcome(to.get("/a")) == "not_found");
}

TEST_CASE("data is bytes, and may be empty") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  talk to{*session};

  std::string bytes{"\0\xff\n{}", 5};
  REQUIRE(to.create("/bytes", bytes));
  CHECK(to.get("/bytes")->data == bytes);
  REQUIRE(to.set("/bytes", ""));
  CHECK(to.get("/bytes")->data.empty());
  REQUIRE(to.create("/nothing"));
  CHECK(to.get("/nothing")->data.empty());
  std::string big(500'000, 'x');
  REQUIRE(to.set("/bytes", big));
  CHECK(to.get("/bytes")->data == big);
}

TEST_CASE("errors name their cause") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  talk to{*session};
  REQUIRE(to.create("/a"));
  REQUIRE(to.create("/a/b"));
  REQUIRE(to.create("/mine", "", create_mode::ephemeral));

  CHECK(outcome(to.create("/a")) == "already_exists");
  CHECK(outcome(to.create("/")) == "already_exists");
  CHECK(outcome(to.create("/none/b")) == "not_found");
  CHECK(outcome(to.create("/mine/b")) == "rejected");
  CHECK(outcome(to.create("/none/m-", "", create_mode::ephemeral_sequential)) ==
        "not_found");
  CHECK(outcome(to.get("/none")) == "not_found");
  CHECK(outcome(to.set("/none", "")) == "not_found");
  CHECK(outcome(to.set("/a", "", 7)) == "version_mismatch");
  CHECK(outcome(to.remove("/none")) == "not_found");
  CHECK(outcome(to.remove("/a/b", 7)) == "version_mismatch");
  CHECK(outcome(to.remove("/a")) == "not_empty");
  CHECK(outcome(to.children("/none")) == "not_found");
  CHECK_THAT(to.get("/none").error().text(),
             Catch::Matchers::Contains("/none'"));
}

TEST_CASE("arguments are checked before they are sent") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  talk to{*session};

  for (auto* path :
       {"", "a", "/a/", "//a", "/a//b", "/.", "/a/../b", "/\x01"}) {
    INFO("path '" << path << "'");
    CHECK(outcome(to.create(path)) == "bad_argument");
    CHECK(outcome(to.get(path)) == "bad_argument");
    CHECK(outcome(to.set(path, "")) == "bad_argument");
    CHECK(outcome(to.remove(path)) == "bad_argument");
    CHECK(outcome(to.children(path)) == "bad_argument");
    CHECK(outcome(to.sync(path)) == "bad_argument");
    CHECK(outcome(to.multi({{kind::check, path, "", any_version, {}}})) ==
          "bad_argument");
  }
  CHECK(outcome(to.remove("/")) == "bad_argument");
  CHECK(outcome(to.multi({{kind::create, "/m-", "", any_version,
                           create_mode::ephemeral_sequential}})) ==
        "bad_argument");

  std::string large(max_znode_request, 'x');
  CHECK(outcome(to.create("/a", large)) == "too_large");
  REQUIRE(to.create("/a"));
  CHECK(outcome(to.set("/a", large)) == "too_large");
  std::string half(max_znode_request / 2, 'x');
  CHECK(outcome(to.multi({{kind::set, "/a", half, any_version, {}},
                          {kind::set, "/a", half, any_version, {}}})) ==
        "too_large");
  // Up to the limit it works, so the limit is not too high for the server.
  CHECK(outcome(to.set("/a", std::string(max_znode_request - 2, 'x'))) == "ok");
  CHECK(to.get("/a")->data.size() == max_znode_request - 2);
}

TEST_CASE("czxid tells a recreated node from the old one") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  talk to{*session};

  REQUIRE(to.create("/a"));
  auto first = to.get("/a")->stat.czxid;
  REQUIRE(to.create("/b"));
  CHECK(to.get("/b")->stat.czxid > first);
  REQUIRE(to.set("/a", "x"));
  CHECK(to.get("/a")->stat.czxid == first);
  REQUIRE(to.remove("/a"));
  REQUIRE(to.create("/a"));
  CHECK(to.get("/a")->stat.czxid > to.get("/b")->stat.czxid);
  CHECK(to.get("/a")->stat.version == 0);
}

TEST_CASE("children are direct ones, by name, sorted") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  talk to{*session};
  using names = std::vector<std::string>;

  REQUIRE(to.create("/p"));
  CHECK(to.children("/p") == names{});
  for (auto* path : {"/p/b", "/p/b/deep", "/p/b-x", "/p/a", "/p/b0", "/p2"})
    REQUIRE(to.create(path));
  CHECK(to.children("/p") == names{"a", "b", "b-x", "b0"});
  CHECK(to.children("/p/b") == names{"deep"});
  auto root = to.children("/");
  REQUIRE(outcome(root) == "ok");
  CHECK(std::count(root->begin(), root->end(), "p") == 1);
  CHECK(std::count(root->begin(), root->end(), "p2") == 1);
}

TEST_CASE("ensure makes every missing node and leaves others alone") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  talk to{*session};

  REQUIRE(to.create("/weir", "keep"));
  CHECK(outcome(to.ensure("/weir/job/tasks/3", "data")) == "ok");
  CHECK(to.get("/weir")->data == "keep");
  CHECK(to.get("/weir/job")->data.empty());
  CHECK(to.get("/weir/job/tasks/3")->data == "data");
  CHECK(outcome(to.ensure("/weir/job/tasks/3", "other")) == "ok");
  CHECK(to.get("/weir/job/tasks/3")->data == "data");
  CHECK(outcome(to.ensure("/")) == "ok");
}

TEST_CASE("a multi happens as a whole or not at all") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  talk to{*session};
  REQUIRE(to.create("/a", "old"));
  REQUIRE(to.create("/gone"));

  REQUIRE(outcome(to.multi(
              {{kind::check, "/a", "", 0, {}},
               {kind::set, "/a", "new", 0, {}},
               {kind::create, "/b", "b", any_version, create_mode::persistent},
               {kind::create, "/b/c", "", any_version, create_mode::ephemeral},
               {kind::remove, "/gone", "", any_version, {}}})) == "ok");
  CHECK(to.get("/a")->data == "new");
  CHECK(to.get("/a")->stat.version == 1);
  CHECK(to.get("/b")->data == "b");
  CHECK(to.get("/b/c")->stat.ephemeral_owner == session->session_id());
  CHECK(outcome(to.get("/gone")) == "not_found");
  // One transaction, one number.
  CHECK(to.get("/b")->stat.czxid == to.get("/b/c")->stat.czxid);

  auto refused = [&](std::vector<znode_op> ops) {
    auto r = to.multi(std::move(ops));
    CHECK(to.get("/a")->data == "new");
    CHECK(to.get("/a")->stat.version == 1);
    CHECK(outcome(to.get("/x")) == "not_found");
    return outcome(r);
  };
  znode_op set{kind::set, "/a", "bad", any_version, {}};
  znode_op make{kind::create, "/x", "", any_version, create_mode::persistent};
  CHECK(refused({set, make, {kind::check, "/a", "", 1, {}}}) ==
        "version_mismatch");
  CHECK(refused({set, make, {kind::check, "/none", "", any_version, {}}}) ==
        "not_found");
  CHECK(refused({make, set, {kind::create, "/b", "", any_version, {}}}) ==
        "already_exists");
  CHECK(refused({set, make, {kind::remove, "/b", "", any_version, {}}}) ==
        "not_empty");
  CHECK(refused({set, {kind::set, "/b", "", 9, {}}, make}) ==
        "version_mismatch");
  // The first failing one counts, and is named.
  auto r = to.multi({set,
                     {kind::check, "/none", "", any_version, {}},
                     {kind::create, "/b", "", any_version, {}}});
  REQUIRE(outcome(r) == "not_found");
  CHECK_THAT(r.error().text(), Catch::Matchers::Contains("/none'"));
  CHECK(to.get("/a")->data == "new");
  CHECK(outcome(to.multi({})) == "ok");
}

TEST_CASE("ephemeral nodes belong to their session") {
  auto fixture = make_coordination_fixture();
  auto owner = fixture->open();
  auto other = fixture->open();
  talk from_owner{*owner};
  talk from_other{*other};
  CHECK(owner->session_id() != 0);
  CHECK(owner->session_id() != other->session_id());

  REQUIRE(from_other.create("/members"));
  REQUIRE(from_owner.create("/members/me", "x", create_mode::ephemeral));
  REQUIRE(from_other.create("/members/you", "y", create_mode::ephemeral));
  auto seen = from_other.get("/members/me");
  REQUIRE(outcome(seen) == "ok");
  CHECK(seen->stat.ephemeral_owner == owner->session_id());

  auto node = make_recorder<int>();
  auto parent = make_recorder<int>();
  REQUIRE(from_other.get("/members/me", [node] { node->add(1); }));
  REQUIRE(from_other.children("/members", [parent] { parent->add(1); }));
  owner->close();
  CHECK(node->wait_count(1));
  CHECK(parent->wait_count(1));
  CHECK(outcome(from_other.get("/members/me")) == "not_found");
  CHECK(from_other.children("/members") == std::vector<std::string>{"you"});
}

TEST_CASE("sequential nodes are numbered in order of creation") {
  auto fixture = make_coordination_fixture();
  auto one = fixture->open();
  auto two = fixture->open();
  REQUIRE(talk{*one}.create("/members"));

  std::vector<std::string> made;
  for (int i = 0; i < 6; ++i) {
    auto r = talk{i % 2 == 0 ? *one : *two}.create(
        "/members/m-", "d", create_mode::ephemeral_sequential);
    REQUIRE(outcome(r) == "ok");
    made.push_back(*r);
  }
  std::vector<std::string> numbers;
  for (auto& each : made) {
    INFO(each);
    REQUIRE(each.starts_with("/members/m-"));
    auto number = each.substr(each.rfind('-') + 1);
    CHECK(number.size() == 10);
    CHECK(std::all_of(number.begin(), number.end(),
                      [](char c) { return c >= '0' && c <= '9'; }));
    numbers.push_back(number);
  }
  CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  CHECK(std::unique(numbers.begin(), numbers.end()) == numbers.end());
  CHECK(talk{*one}.children("/members")->size() == made.size());
  for (auto& each : made)
    CHECK(talk{*two}.get(each)->data == "d");
  // A number is never used again, also when its node is gone.
  REQUIRE(talk{*one}.remove(made.back()));
  auto next =
      talk{*one}.create("/members/m-", "", create_mode::ephemeral_sequential);
  CHECK(next->substr(next->rfind('-') + 1) > numbers.back());
}

TEST_CASE("sync shows what another session wrote before") {
  auto fixture = make_coordination_fixture();
  auto writer = fixture->open();
  auto reader = fixture->open();
  for (int i = 0; i < 20; ++i) {
    auto path = "/n" + std::to_string(i);
    REQUIRE(talk{*writer}.create(path));
    REQUIRE(outcome(talk{*reader}.sync(path)) == "ok");
    CHECK(outcome(talk{*reader}.get(path)) == "ok");
  }
}
