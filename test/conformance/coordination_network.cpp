// Sessions on a bad network: lost connections and replies, expiry, the close.
#include <algorithm>
#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include "test/conformance/awaiting.hpp"
#include "test/conformance/coordination_suite.hpp"

using namespace weir;
using namespace weir::test;
using namespace std::chrono_literals;

namespace {

using events = std::shared_ptr<recorder<session_event>>;

std::function<void(session_event)> into(const events& to) {
  return [to](session_event e) { to->add(e); };
}

bool last_is(const events& all, session_event wanted) {
  return all->wait(
      [wanted](auto& seen) { return !seen.empty() && seen.back() == wanted; });
}

/// For values that change without an event.
bool eventually(const std::function<bool()>& holds) {
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

/// Waits until `writer` sees `path` go.
bool wait_gone(coordination& by, const std::string& path) {
  for (;;) {
    auto changed = make_recorder<int>();
    auto r = talk{by}.get(path, [changed] { changed->add(1); });
    if (!r)
      return r.error().code() == ec::not_found;
    if (!changed->wait_count(1))
      return false;
  }
}

} // namespace

TEST_CASE("a session without a connection refuses, and goes on after it") {
  auto fixture = make_coordination_fixture();
  auto heard = make_recorder<session_event>();
  auto session = fixture->open(into(heard));
  auto other = fixture->open();
  talk to{*session};
  REQUIRE(to.create("/a", "mine", create_mode::ephemeral));
  REQUIRE(to.create("/watched"));
  CHECK(heard->count() == 0);

  auto id = session->session_id();
  auto changed = make_recorder<int>();
  REQUIRE(to.get("/watched", [changed] { changed->add(1); }));
  auto untouched = make_recorder<int>();
  REQUIRE(to.get("/a", [untouched] { untouched->add(1); }));

  fixture->disconnect(*session);
  REQUIRE(last_is(heard, session_event::disconnected));
  CHECK(outcome(to.get("/a")) == "disconnected");
  CHECK(outcome(to.set("/a", "x")) == "disconnected");
  CHECK(outcome(to.create("/b")) == "disconnected");
  CHECK(outcome(to.create("/m-", "", create_mode::ephemeral_sequential)) ==
        "disconnected");
  CHECK(outcome(to.remove("/a")) == "disconnected");
  CHECK(outcome(to.children("/")) == "disconnected");
  CHECK(outcome(to.sync()) == "disconnected");
  CHECK(outcome(to.multi({{znode_op::kind::set, "/a", "x", -1, {}}})) ==
        "disconnected");
  CHECK(changed->count() == 0);
  REQUIRE(talk{*other}.set("/watched", "x"));

  fixture->reconnect(*session);
  REQUIRE(last_is(heard, session_event::connected));
  CHECK(session->session_id() == id);
  // What was refused did not happen; the ephemeral is still there.
  CHECK(to.get("/a")->data == "mine");
  CHECK(outcome(to.get("/b")) == "not_found");
  // A watch is not lost with the connection.
  CHECK(changed->wait_count(1));
  CHECK(untouched->count() == 0);
  REQUIRE(talk{*other}.set("/a", "theirs"));
  CHECK(untouched->wait_count(1));
  CHECK(heard->all() ==
        std::vector{session_event::disconnected, session_event::connected});
}

TEST_CASE("a write whose reply is lost has an unknown outcome") {
  auto fixture = make_coordination_fixture();
  auto heard = make_recorder<session_event>();
  auto session = fixture->open(into(heard));
  auto other = fixture->open();
  REQUIRE(talk{*other}.create("/claim", "0"));

  SECTION("it happened") {
    fixture->lose_next_reply(*session);
    CHECK(outcome(talk{*session}.set("/claim", "1", 0)) == "unknown_outcome");
    CHECK(talk{*other}.get("/claim")->data == "1");
  }
  SECTION("it did not happen") {
    fixture->lose_next_request(*session);
    CHECK(outcome(talk{*session}.set("/claim", "1", 0)) == "unknown_outcome");
    CHECK(talk{*other}.get("/claim")->data == "0");
  }
  SECTION("a multi") {
    fixture->lose_next_reply(*session);
    CHECK(outcome(talk{*session}.multi(
              {{znode_op::kind::set, "/claim", "1", 0, {}}})) ==
          "unknown_outcome");
    CHECK(talk{*other}.get("/claim")->data == "1");
  }
  SECTION("a create that is not sequential") {
    fixture->lose_next_reply(*session);
    CHECK(outcome(talk{*session}.create("/x", "", create_mode::ephemeral)) ==
          "unknown_outcome");
    CHECK(talk{*other}.get("/x")->stat.ephemeral_owner ==
          session->session_id());
  }
  // Rule C3: sync, read, and write again by version.
  fixture->reconnect(*session);
  REQUIRE(last_is(heard, session_event::connected));
  REQUIRE(talk{*session}.sync("/claim"));
  auto now = talk{*session}.get("/claim");
  REQUIRE(outcome(now) == "ok");
  CHECK(outcome(talk{*session}.set("/claim", "2", now->stat.version)) == "ok");
}

TEST_CASE("a sequential create makes one node, whatever is lost") {
  auto fixture = make_coordination_fixture();
  auto heard = make_recorder<session_event>();
  auto session = fixture->open(into(heard));
  auto other = fixture->open();
  REQUIRE(talk{*other}.create("/members"));
  auto made = make_recorder<std::string>();
  auto create = [&] {
    session->create(
        "/members/m-", "me", create_mode::ephemeral_sequential,
        [made](result<std::string> r) { made->add(r ? *r : outcome(r)); });
  };
  auto reconnect = [&] {
    REQUIRE(last_is(heard, session_event::disconnected));
    CHECK(made->count() == 0);
    fixture->reconnect(*session);
  };

  SECTION("the reply") {
    fixture->lose_next_reply(*session);
    create();
    reconnect();
  }
  SECTION("the request") {
    fixture->lose_next_request(*session);
    create();
    reconnect();
  }
  SECTION("the request, then the reply of the second attempt") {
    fixture->lose_next_request(*session);
    create();
    REQUIRE(last_is(heard, session_event::disconnected));
    fixture->lose_next_reply(*session);
    fixture->reconnect(*session);
    REQUIRE(heard->wait_count(3));
    reconnect();
  }
  REQUIRE(made->wait_count(1));
  auto children = talk{*other}.children("/members");
  REQUIRE(children->size() == 1);
  CHECK(made->all().front() == "/members/" + children->front());
  auto node = talk{*other}.get(made->all().front());
  CHECK(node->data == "me");
  CHECK(node->stat.ephemeral_owner == session->session_id());
  REQUIRE(talk{*session}.sync());
  CHECK(made->count() == 1);
}

TEST_CASE("an expired session learns of it when it reconnects") {
  auto fixture = make_coordination_fixture();
  auto heard = make_recorder<session_event>();
  auto session = fixture->open(into(heard));
  auto other = fixture->open();
  talk to{*session};
  REQUIRE(to.create("/mine", "", create_mode::ephemeral));
  REQUIRE(to.create("/stays"));
  auto order = make_recorder<std::string>();
  REQUIRE(to.get("/stays", [order] { order->add("data"); }));
  REQUIRE(to.children("/stays", [order] { order->add("children"); }));
  REQUIRE(outcome(to.get("/never", [order] { order->add("missing"); })) ==
          "not_found");

  fixture->disconnect(*session);
  REQUIRE(last_is(heard, session_event::disconnected));
  fixture->expire(*session);
  CHECK(wait_gone(*other, "/mine"));
  CHECK(outcome(talk{*other}.get("/stays")) == "ok");
  // It cannot know yet.
  CHECK(heard->all().back() == session_event::disconnected);
  CHECK(outcome(to.get("/stays")) == "disconnected");

  fixture->reconnect(*session);
  REQUIRE(last_is(heard, session_event::expired));
  CHECK(outcome(to.get("/stays")) == "session_expired");
  CHECK(outcome(to.set("/stays", "")) == "session_expired");
  CHECK(outcome(to.create("/x")) == "session_expired");
  CHECK(outcome(to.create("/m-", "", create_mode::ephemeral_sequential)) ==
        "session_expired");
  CHECK(outcome(to.remove("/stays")) == "session_expired");
  CHECK(outcome(to.children("/")) == "session_expired");
  CHECK(outcome(to.sync()) == "session_expired");
  CHECK(outcome(to.multi({{znode_op::kind::check, "/stays", "", -1, {}}})) ==
        "session_expired");
  // Each watch fired once: it was lost.
  REQUIRE(order->wait_count(3));
  auto fired = order->all();
  std::sort(fired.begin(), fired.end());
  CHECK(fired == std::vector<std::string>{"children", "data", "missing"});
  CHECK(heard->all() ==
        std::vector{session_event::disconnected, session_event::expired});

  // A new session is another one.
  auto id = session->session_id();
  session->close();
  auto again = fixture->open();
  CHECK(again->session_id() != id);
  CHECK(outcome(talk{*again}.create("/mine", "", create_mode::ephemeral)) ==
        "ok");
}

TEST_CASE("expiry answers a sequential create whose reply was lost") {
  auto fixture = make_coordination_fixture();
  auto heard = make_recorder<session_event>();
  auto session = fixture->open(into(heard));
  auto answers = make_recorder<std::string>();
  fixture->lose_next_reply(*session);
  session->create("/m-", "", create_mode::ephemeral_sequential,
                  [answers](const auto& r) { answers->add(outcome(r)); });
  REQUIRE(last_is(heard, session_event::disconnected));
  fixture->expire(*session);
  fixture->reconnect(*session);
  REQUIRE(answers->wait_count(1));
  CHECK(answers->all().front() == "session_expired");
  auto other = fixture->open();
  auto children = talk{*other}.children("/");
  REQUIRE(outcome(children) == "ok");
  for (auto& each : *children)
    CHECK_FALSE(each.starts_with("m-"));
}

TEST_CASE("close answers what is pending, and is the end") {
  auto fixture = make_coordination_fixture();
  auto heard = make_recorder<session_event>();
  auto session = fixture->open(into(heard));
  REQUIRE(talk{*session}.create("/a"));
  auto watch = make_recorder<int>();
  REQUIRE(talk{*session}.get("/a", [watch] { watch->add(1); }));

  auto answers = make_recorder<std::string>();
  auto note = [answers](const auto& r) { answers->add(outcome(r)); };
  std::size_t calls = 0;

  SECTION("with a connection") {
    for (; calls < 200; ++calls)
      session->set("/a", std::to_string(calls), any_version, note);
  }
  SECTION("with a server that does not answer") {
    fixture->freeze(*session);
    for (; calls < 50; ++calls)
      session->get("/a", nullptr, note);
    session->ensure("/x/y/z", "", note);
    ++calls;
  }
  SECTION("with a sequential create that waits for a connection") {
    fixture->lose_next_reply(*session);
    session->create("/m-", "", create_mode::ephemeral_sequential, note);
    ++calls;
    REQUIRE(last_is(heard, session_event::disconnected));
    CHECK(answers->count() == 0);
  }
  session->close();
  // Each exactly once, and nothing afterwards.
  CHECK(answers->count() == calls);
  auto after = heard->count() + watch->count();
  session->get(
      "/a", [watch] { watch->add(1); }, note);
  session->create("/later", "", create_mode::persistent, note);
  session->close();
  fixture->thaw(*session);
  auto other = fixture->open();
  REQUIRE(talk{*other}.set("/a", "x"));
  CHECK(outcome(talk{*other}.get("/later")) == "not_found");
  CHECK(answers->count() == calls);
  CHECK(heard->count() + watch->count() == after);
}

TEST_CASE("a session may be closed while others call it") {
  auto fixture = make_coordination_fixture();
  for (int round = 0; round < 10; ++round) {
    auto session = fixture->open();
    auto closed = std::make_shared<std::atomic<bool>>(false);
    auto late = std::make_shared<std::atomic<int>>(0);
    auto answered = make_recorder<int>();
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
      threads.emplace_back([&] {
        while (!stop)
          session->get("/", nullptr, [closed, late, answered](const auto&) {
            if (*closed)
              ++*late;
            answered->add(1);
          });
      });
    REQUIRE(answered->wait_count(5));
    session->close();
    *closed = true;
    stop = true;
    for (auto& each : threads)
      each.join();
    session.reset();
    CHECK(*late == 0);
  }
}

TEST_CASE("the lease grows while the server is silent and shrinks after") {
  auto fixture = make_coordination_fixture();
  auto heard = make_recorder<session_event>();
  auto session = fixture->open(into(heard), 9s);
  auto timeout = session->session_timeout();
  CHECK(timeout == 9s);
  CHECK(session->since_last_contact() < timeout / 2);

  auto silent = timeout / 3;
  fixture->freeze(*session);
  CHECK(eventually([&] { return session->since_last_contact() > silent; }));
  fixture->thaw(*session);
  // Nobody calls it: the session keeps its lease by itself.
  CHECK(eventually([&] { return session->since_last_contact() < silent / 2; }));
  auto last = heard->all();
  CHECK((last.empty() || last.back() != session_event::expired));
  CHECK(outcome(talk{*session}.sync()) == "ok");
}
