// The suite on a real ZooKeeper server, and what only that one promises.
#include <atomic>
#include <future>
#include <map>
#include <thread>

#include <catch2/catch.hpp>

#include "runtime/zookeeper/zookeeper.hpp"
#include "test/conformance/awaiting.hpp"
#include "test/conformance/coordination_suite.hpp"
#include "test/servers/zookeeper_proxy.hpp"
#include "test/servers/zookeeper_server.hpp"
#include "test/servers/zookeeper_session.hpp"

using namespace weir;
using namespace weir::test;
using namespace std::chrono_literals;

namespace {

/// A chroot that no other test case uses.
std::string fresh_chroot() {
  static std::atomic<int> count{0};
  return "/test/" + std::to_string(++count);
}

std::unique_ptr<coordination>
open_session(const std::string& hosts,
             std::function<void(session_event)> on_event = nullptr,
             std::chrono::milliseconds timeout = 30s) {
  session_options options;
  options.session_timeout = timeout;
  options.connect_limit = patience;
  options.on_event = std::move(on_event);
  auto opened = make_zookeeper({hosts})->open_session(std::move(options));
  if (!opened)
    FAIL(to_string(opened.error()));
  return std::move(*opened);
}

/// Each session has a network of its own to the shared server.
class zookeeper_fixture final : public coordination_fixture {
public:
  ~zookeeper_fixture() override { shared_zookeeper_server().resume(); }

  std::unique_ptr<coordination>
  open(std::function<void(session_event)> on_event,
       std::chrono::milliseconds timeout) override {
    auto network =
        std::make_unique<zookeeper_proxy>(shared_zookeeper_server().port());
    auto opened =
        open_session(network->hosts() + chroot_, std::move(on_event), timeout);
    networks_[opened->session_id()] = std::move(network);
    return opened;
  }

  void disconnect(coordination& x) override { network(x).cut(); }
  void reconnect(coordination& x) override { network(x).mend(); }
  void expire(coordination& x) override {
    expire_session(shared_zookeeper_server().hosts(), x.session_id());
  }
  void lose_next_reply(coordination& x) override {
    network(x).lose_next_reply();
  }
  void lose_next_request(coordination& x) override {
    network(x).lose_next_request();
  }
  void freeze(coordination&) override { shared_zookeeper_server().pause(); }
  void thaw(coordination&) override { shared_zookeeper_server().resume(); }

private:
  zookeeper_proxy& network(coordination& x) {
    return *networks_.at(x.session_id());
  }

  std::string chroot_ = fresh_chroot();
  std::map<std::int64_t, std::unique_ptr<zookeeper_proxy>> networks_;
};

} // namespace

std::unique_ptr<coordination_fixture> weir::test::make_coordination_fixture() {
  return std::make_unique<zookeeper_fixture>();
}

TEST_CASE("a missing chroot is created, an existing one is used") {
  auto hosts = shared_zookeeper_server().hosts();
  auto chroot = fresh_chroot() + "/deep/er";
  auto inside = open_session(hosts + chroot);
  CHECK(inside->describe() == "zookeeper " + hosts + chroot);
  CHECK(inside->path_on_server("/a") == chroot + "/a");
  CHECK(talk{*inside}.create("/a", "x") == std::string{"/a"});
  auto sequential =
      talk{*inside}.create("/m-", "", create_mode::ephemeral_sequential);
  CHECK(sequential->starts_with("/m-"));

  auto outside = open_session(hosts);
  CHECK(outside->describe() == "zookeeper " + hosts);
  CHECK(talk{*outside}.get(chroot + "/a")->data == "x");
  auto again = open_session(hosts + chroot);
  CHECK(talk{*again}.get("/a")->data == "x");
  CHECK(talk{*again}.children("/")->size() == 2);
  auto slash = open_session(hosts + "/");
  CHECK(talk{*slash}.get(chroot + "/a")->data == "x");
}

TEST_CASE("without a server the error names the hosts and what to do") {
  auto hosts = "127.0.0.1:" + std::to_string(free_port()) +
               ",127.0.0.1:" + std::to_string(free_port());
  session_options options;
  options.connect_limit = 300ms;
  auto opened = make_zookeeper({hosts + "/weir"})->open_session(options);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code() == ec::disconnected);
  CHECK_THAT(opened.error().text(), Catch::Matchers::Contains(hosts + "/weir"));
  CHECK_THAT(opened.error().text(), Catch::Matchers::Contains("running"));
}

TEST_CASE("a host without an address is named, alone and beside others") {
  auto other = "127.0.0.1:" + std::to_string(free_port());
  for (auto& hosts : {std::string{"nosuchhost.invalid:2181"},
                      other + ",nosuchhost.invalid:2181/weir"}) {
    session_options options;
    options.connect_limit = 300ms;
    auto opened = make_zookeeper({hosts})->open_session(options);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code() == ec::disconnected);
    CHECK_THAT(opened.error().text(),
               Catch::Matchers::Contains(
                   "ZooKeeper: cannot resolve 'nosuchhost.invalid' (") &&
                   Catch::Matchers::Contains("in --zookeeper"));
  }
}

TEST_CASE("a text that is no list of hosts is refused") {
  for (auto* hosts : {"", "localhost", "127.0.0.1:", ":2181", "127.0.0.1:0",
                      "a:70000", "127.0.0.1:2181,", "127.0.0.1:2181,b",
                      "127.0.0.1:2181/a//b", "127.0.0.1:2181/a/", "/only"}) {
    INFO("hosts '" << hosts << "'");
    auto opened = make_zookeeper({hosts})->open_session({});
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code() == ec::bad_argument);
  }
  session_options endless;
  endless.session_timeout = 0ms;
  auto opened = make_zookeeper({"127.0.0.1:2181"})->open_session(endless);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code() == ec::bad_argument);
}

TEST_CASE("the first host that lives is used") {
  auto dead = "127.0.0.1:" + std::to_string(free_port());
  auto session = open_session(dead + "," + shared_zookeeper_server().hosts() +
                              "," + dead + fresh_chroot());
  CHECK(outcome(talk{*session}.create("/a")) == "ok");
}

TEST_CASE("the session timeout is the negotiated one") {
  auto hosts = shared_zookeeper_server().hosts();
  CHECK(open_session(hosts, nullptr, 100ms)->session_timeout() == 1s);
  CHECK(open_session(hosts, nullptr, 3s)->session_timeout() == 3s);
  CHECK(open_session(hosts, nullptr, 90s)->session_timeout() == 60s);
}

TEST_CASE("a session and its ephemerals survive a restart of the server") {
  zookeeper_server server;
  auto heard = make_recorder<session_event>();
  auto session = open_session(server.hosts() + "/weir",
                              [heard](session_event e) { heard->add(e); });
  REQUIRE(talk{*session}.create("/mine", "x", create_mode::ephemeral));
  REQUIRE(talk{*session}.create("/kept", "y"));
  auto changed = make_recorder<int>();
  REQUIRE(talk{*session}.get("/kept", [changed] { changed->add(1); }));
  auto id = session->session_id();

  bool gentle = GENERATE(true, false);
  if (gentle)
    server.stop();
  else
    server.kill();
  REQUIRE(heard->wait_count(1));
  CHECK(heard->all().back() == session_event::disconnected);
  server.start();
  REQUIRE(heard->wait_count(2));
  REQUIRE(heard->all().back() == session_event::connected);
  CHECK(session->session_id() == id);
  auto mine = talk{*session}.get("/mine");
  REQUIRE(outcome(mine) == "ok");
  CHECK(mine->data == "x");
  CHECK(mine->stat.ephemeral_owner == id);
  CHECK(changed->count() == 0);
  REQUIRE(talk{*session}.set("/kept", "z"));
  CHECK(changed->wait_count(1));
}

TEST_CASE("a session killed while it is connected expires by itself") {
  auto hosts = shared_zookeeper_server().hosts() + fresh_chroot();
  auto heard = make_recorder<session_event>();
  auto session =
      open_session(hosts, [heard](session_event e) { heard->add(e); });
  auto other = open_session(hosts);
  REQUIRE(talk{*session}.create("/mine", "", create_mode::ephemeral));
  expire_session(shared_zookeeper_server().hosts(), session->session_id());
  CHECK(outcome(talk{*other}.sync("/mine")) == "ok");
  CHECK(outcome(talk{*other}.get("/mine")) == "not_found");
  REQUIRE(heard->wait([](auto& all) {
    return !all.empty() && all.back() == session_event::expired;
  }));
  CHECK(outcome(talk{*session}.get("/")) == "session_expired");
  // Its lease does not come back.
  auto before = session->since_last_contact();
  REQUIRE(outcome(talk{*session}.sync()) == "session_expired");
  CHECK(session->since_last_contact() >= before);
}

TEST_CASE("many calls at once are answered exactly once across a cut") {
  zookeeper_proxy network{shared_zookeeper_server().port()};
  auto heard = make_recorder<session_event>();
  auto session = open_session(network.hosts() + fresh_chroot(),
                              [heard](session_event e) { heard->add(e); });
  REQUIRE(talk{*session}.create("/n", "0"));
  constexpr int calls = 2'000;
  auto answers = make_recorder<std::pair<int, std::string>>();
  for (int i = 0; i < calls; ++i) {
    session->set("/n", std::to_string(i), any_version,
                 [answers, i](const auto& r) {
                   answers->add({i, outcome(r)});
                 });
    if (i == calls / 2)
      network.cut();
  }
  REQUIRE(answers->wait_count(calls));
  network.mend();
  REQUIRE(heard->wait([](auto& all) {
    return !all.empty() && all.back() == session_event::connected;
  }));
  std::map<std::string, int> totals;
  std::map<int, int> times;
  for (auto& [call, what] : answers->all()) {
    ++totals[what];
    ++times[call];
  }
  CHECK(times.size() == calls);
  CHECK(answers->count() == calls);
  CHECK(totals["ok"] + totals["unknown_outcome"] + totals["disconnected"] ==
        calls);
  // What succeeded happened; what was refused did not; the rest may have.
  auto version = talk{*session}.get("/n")->stat.version;
  CHECK(version >= totals["ok"]);
  CHECK(version <= totals["ok"] + totals["unknown_outcome"]);
}
