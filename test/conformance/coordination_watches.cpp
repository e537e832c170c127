// One-shot watches and the order of callbacks.
#include <algorithm>
#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include "test/conformance/awaiting.hpp"
#include "test/conformance/coordination_suite.hpp"

using namespace weir;
using namespace weir::test;

namespace {

/// A watch that counts how often it fired.
struct counter {
  std::shared_ptr<recorder<int>> fired = make_recorder<int>();
  coordination::watcher watch() const {
    return [fired = fired] { fired->add(1); };
  }
  bool wait() const { return fired->wait_count(1); }
  std::size_t count() const { return fired->count(); }
};

} // namespace

TEST_CASE("a data watch fires once, on a change by anybody") {
  auto fixture = make_coordination_fixture();
  auto watching = fixture->open();
  auto writing = fixture->open();
  REQUIRE(talk{*writing}.create("/a"));

  counter others;
  REQUIRE(talk{*watching}.get("/a", others.watch()));
  REQUIRE(talk{*writing}.set("/a", "1"));
  REQUIRE(others.wait());
  REQUIRE(talk{*writing}.set("/a", "2"));

  counter own;
  REQUIRE(talk{*watching}.get("/a", own.watch()));
  REQUIRE(talk{*watching}.set("/a", "3"));
  REQUIRE(own.wait());

  counter removal;
  REQUIRE(talk{*watching}.get("/a", removal.watch()));
  REQUIRE(talk{*writing}.remove("/a"));
  REQUIRE(removal.wait());

  // A later answer shows that nothing more is on its way.
  REQUIRE(talk{*watching}.sync());
  CHECK(others.count() == 1);
  CHECK(own.count() == 1);
  CHECK(removal.count() == 1);
}

TEST_CASE("a watch on a missing node waits for its creation") {
  auto fixture = make_coordination_fixture();
  auto watching = fixture->open();
  auto writing = fixture->open();

  counter created;
  REQUIRE(outcome(talk{*watching}.get("/late", created.watch())) ==
          "not_found");
  REQUIRE(talk{*writing}.create("/other"));
  REQUIRE(talk{*watching}.sync());
  CHECK(created.count() == 0);
  REQUIRE(talk{*writing}.create("/late", "now"));
  REQUIRE(created.wait());
  CHECK(talk{*watching}.get("/late")->data == "now");
  REQUIRE(talk{*writing}.set("/late", "again"));
  REQUIRE(talk{*watching}.sync());
  CHECK(created.count() == 1);
}

TEST_CASE("a children watch fires on creation and removal of a child") {
  auto fixture = make_coordination_fixture();
  auto watching = fixture->open();
  auto writing = fixture->open();
  REQUIRE(talk{*writing}.create("/p"));
  REQUIRE(talk{*writing}.create("/p/old"));

  counter added;
  REQUIRE(talk{*watching}.children("/p", added.watch()));
  // Neither the data of the node nor of a child nor grandchildren count.
  REQUIRE(talk{*writing}.set("/p", "x"));
  REQUIRE(talk{*writing}.set("/p/old", "x"));
  REQUIRE(talk{*writing}.create("/p/old/deep"));
  REQUIRE(talk{*writing}.remove("/p/old/deep"));
  REQUIRE(talk{*watching}.sync());
  CHECK(added.count() == 0);
  REQUIRE(talk{*writing}.create("/p/new"));
  REQUIRE(added.wait());

  counter removed;
  REQUIRE(talk{*watching}.children("/p", removed.watch()));
  REQUIRE(talk{*writing}.remove("/p/new"));
  REQUIRE(removed.wait());

  counter whole;
  REQUIRE(talk{*writing}.remove("/p/old"));
  REQUIRE(talk{*watching}.children("/p", whole.watch()));
  REQUIRE(talk{*writing}.remove("/p"));
  REQUIRE(whole.wait());

  REQUIRE(talk{*watching}.sync());
  CHECK(added.count() == 1);
  CHECK(removed.count() == 1);
  CHECK(whole.count() == 1);

  // On a missing node there is nothing to watch.
  counter none;
  CHECK(outcome(talk{*watching}.children("/p", none.watch())) == "not_found");
}

TEST_CASE("watches on one path are independent, and a multi fires them") {
  auto fixture = make_coordination_fixture();
  auto watching = fixture->open();
  auto writing = fixture->open();
  REQUIRE(talk{*writing}.create("/a"));

  counter first;
  counter second;
  counter failed;
  REQUIRE(talk{*watching}.get("/a", first.watch()));
  REQUIRE(talk{*watching}.get("/a", second.watch()));
  REQUIRE(outcome(talk{*watching}.get("/missing", failed.watch())) ==
          "not_found");
  using kind = znode_op::kind;
  CHECK(outcome(talk{*writing}.multi(
            {{kind::set, "/a", "x", any_version, {}},
             {kind::check, "/none", "", any_version, {}}})) == "not_found");
  REQUIRE(talk{*watching}.sync());
  CHECK(first.count() == 0);
  REQUIRE(talk{*writing}.multi(
      {{kind::set, "/a", "x", any_version, {}},
       {kind::create, "/missing", "", any_version, create_mode::persistent}}));
  CHECK(first.wait());
  CHECK(second.wait());
  CHECK(failed.wait());
}

TEST_CASE("a watch fires before the session reads the change") {
  auto fixture = make_coordination_fixture();
  auto watching = fixture->open();
  auto writing = fixture->open();
  REQUIRE(talk{*writing}.create("/a", "0"));

  for (int round = 1; round <= 20; ++round) {
    // In order: "fired" must come before the first read of the new value.
    auto seen = make_recorder<std::string>();
    REQUIRE(talk{*watching}.get("/a", [seen] { seen->add("fired"); }));
    auto value = std::to_string(round);
    talk{*writing}.set("/a", value);
    REQUIRE(talk{*watching}.sync());
    watching->get("/a", nullptr,
                  [seen](result<znode> r) { seen->add(r->data); });
    REQUIRE(seen->wait_count(2));
    CHECK(seen->all() == std::vector<std::string>{"fired", value});
  }
}

TEST_CASE("callbacks come one at a time and in order") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  REQUIRE(talk{*session}.create("/a"));

  constexpr int calls = 300;
  auto order = make_recorder<int>();
  auto inside = std::make_shared<std::atomic<int>>(0);
  auto overlaps = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i < calls; ++i) {
    auto note = [=] {
      if (inside->fetch_add(1) != 0)
        ++*overlaps;
      order->add(i);
      inside->fetch_sub(1);
    };
    switch (i % 5) {
    case 0:
      session->get("/a", nullptr, [note](const auto&) { note(); });
      break;
    case 1:
      session->set("/a", "x", any_version, [note](const auto&) { note(); });
      break;
    case 2:
      session->get(
          "/missing", [] {}, [note](const auto&) { note(); });
      break;
    case 3:
      session->create("/a", "", create_mode::persistent,
                      [note](const auto&) { note(); });
      break;
    default:
      session->children("/", nullptr, [note](const auto&) { note(); });
    }
  }
  REQUIRE(order->wait_count(calls));
  auto all = order->all();
  CHECK(std::is_sorted(all.begin(), all.end()));
  CHECK(all.size() == calls);
  CHECK(*overlaps == 0);
}

TEST_CASE("a call made in a callback is answered") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  auto names = make_recorder<std::string>();
  auto* raw = session.get();
  session->create("/a", "", create_mode::persistent,
                  [raw, names](const result<std::string>&) {
                    raw->create("/a/b", "", create_mode::persistent,
                                [names](result<std::string> r) {
                                  names->add(r ? *r : outcome(r));
                                });
                  });
  REQUIRE(names->wait_count(1));
  CHECK(names->all().front() == "/a/b");
}

TEST_CASE("many threads may use one session") {
  auto fixture = make_coordination_fixture();
  auto session = fixture->open();
  REQUIRE(talk{*session}.create("/n", "0"));
  auto answers = make_recorder<std::string>();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&session, answers] {
      for (int i = 0; i < 50; ++i)
        session->set("/n", "x", any_version,
                     [answers](const auto& r) { answers->add(outcome(r)); });
    });
  for (auto& each : threads)
    each.join();
  REQUIRE(answers->wait_count(200));
  CHECK(talk{*session}.get("/n")->stat.version == 200);
}
