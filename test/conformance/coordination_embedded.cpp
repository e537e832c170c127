// The suite on the embedded implementation, and what only that one promises.
#include <optional>

#include <catch2/catch.hpp>
#include <leveldb/env.h>

#include "runtime/base/clock.hpp"
#include "runtime/embedded/coordination/coordination.hpp"
#include "runtime/leveldb/database.hpp"
#include "test/conformance/awaiting.hpp"
#include "test/conformance/coordination_suite.hpp"
#include "test/manual_executor.hpp"
#include "test/temporary_directory.hpp"

using namespace weir;
using namespace weir::test;

namespace {

std::shared_ptr<embedded_database> open_database(std::string directory,
                                                 leveldb::Env* env = nullptr) {
  embedded_options options;
  options.directory = std::move(directory);
  options.env = env;
  auto world = make_outside_world();
  auto opened = open_embedded(options, *world);
  if (!opened)
    FAIL(to_string(opened.error()));
  return *opened;
}

/// Three threads, although callbacks come one at a time: that is the
/// implementation's affair.
class embedded_cluster final : public coordination_fixture {
public:
  embedded_cluster()
      : service_(
            make_embedded_coordination(open_database(directory_.path() + "/db"),
                                       make_thread_executor("callbacks", 3))) {}

  std::unique_ptr<coordination>
  open(std::function<void(session_event)> on_event,
       std::chrono::milliseconds timeout) override {
    session_options options;
    options.session_timeout = timeout;
    options.on_event = std::move(on_event);
    auto opened = service_->open_session(std::move(options));
    if (!opened)
      FAIL(to_string(opened.error()));
    return std::move(*opened);
  }

  void disconnect(coordination& x) override {
    service_->disconnect(x.session_id());
  }
  void reconnect(coordination& x) override {
    service_->reconnect(x.session_id());
  }
  void expire(coordination& x) override {
    service_->expire_session(x.session_id());
  }
  void lose_next_reply(coordination& x) override {
    service_->lose_next_reply(x.session_id());
  }
  void lose_next_request(coordination& x) override {
    service_->lose_next_request(x.session_id());
  }
  void freeze(coordination& x) override { disconnect(x); }
  void thaw(coordination& x) override { reconnect(x); }

private:
  temporary_directory directory_;
  std::shared_ptr<embedded_coordination> service_;
};

/// One session in one thread: a call is answered by running the executor.
struct single_thread {
  std::shared_ptr<manual_executor> runner = std::make_shared<manual_executor>();
  std::chrono::milliseconds now{1'000};
  std::shared_ptr<embedded_coordination> service;

  explicit single_thread(std::shared_ptr<embedded_database> database = nullptr)
      : service(make_embedded_coordination(std::move(database), runner,
                                           [this] { return now; })) {}

  std::unique_ptr<coordination>
  open(std::function<void(session_event)> on_event = nullptr) {
    session_options options;
    options.on_event = std::move(on_event);
    auto opened = service->open_session(options);
    if (!opened)
      FAIL(to_string(opened.error()));
    return std::move(*opened);
  }

  template <class T, class Call>
  result<T> ask(Call call) {
    std::optional<result<T>> answer;
    call([&](result<T> r) { answer = std::move(r); });
    runner->run();
    REQUIRE(answer.has_value());
    return std::move(*answer);
  }
  result<std::string> create(coordination& on, const std::string& path,
                             create_mode mode = create_mode::persistent,
                             std::string data = {}) {
    return ask<std::string>(
        [&](auto done) { on.create(path, data, mode, std::move(done)); });
  }
  result<znode> get(coordination& on, const std::string& path) {
    return ask<znode>(
        [&](auto done) { on.get(path, nullptr, std::move(done)); });
  }
  result<znode_stat> set(coordination& on, const std::string& path,
                         std::string data) {
    return ask<znode_stat>(
        [&](auto done) { on.set(path, data, any_version, std::move(done)); });
  }
};

/// Fails appends to every file from a moment on.
class failing_env final : public leveldb::EnvWrapper {
public:
  failing_env() : EnvWrapper(leveldb::Env::Default()) {}

  bool failing = false;

  leveldb::Status NewWritableFile(const std::string& name,
                                  leveldb::WritableFile** out) override {
    auto status = target()->NewWritableFile(name, out);
    if (status.ok())
      *out = new file{*this, *out};
    return status;
  }

private:
  class file final : public leveldb::WritableFile {
  public:
    file(failing_env& env, leveldb::WritableFile* base)
        : env_(env), base_(base) {}
    leveldb::Status Append(const leveldb::Slice& data) override {
      if (env_.failing)
        return leveldb::Status::IOError("no space left on device");
      return base_->Append(data);
    }
    leveldb::Status Close() override { return base_->Close(); }
    leveldb::Status Flush() override { return base_->Flush(); }
    leveldb::Status Sync() override { return base_->Sync(); }

  private:
    failing_env& env_;
    std::unique_ptr<leveldb::WritableFile> base_;
  };
};

} // namespace

std::unique_ptr<coordination_fixture> weir::test::make_coordination_fixture() {
  return std::make_unique<embedded_cluster>();
}

TEST_CASE("persistent nodes survive a restart, the others do not") {
  temporary_directory directory;
  znode_stat before;
  std::string sequential;
  std::int64_t session_before = 0;
  {
    single_thread cluster{open_database(directory.path() + "/db")};
    auto session = cluster.open();
    session_before = session->session_id();
    REQUIRE(cluster.create(*session, "/claim", create_mode::persistent, "a"));
    REQUIRE(cluster.set(*session, "/claim", std::string{"b\0c", 3}));
    REQUIRE(cluster.create(*session, "/claim/child"));
    REQUIRE(cluster.create(*session, "/gone"));
    REQUIRE(cluster.create(*session, "/mine", create_mode::ephemeral));
    sequential = *cluster.create(*session, "/claim/m-",
                                 create_mode::ephemeral_sequential);
    auto removed = cluster.ask<void>([&](auto done) {
      session->remove("/gone", any_version, std::move(done));
    });
    REQUIRE(removed.has_value());
    before = cluster.get(*session, "/claim")->stat;
    CHECK(before.version == 1);
  }
  single_thread cluster{open_database(directory.path() + "/db")};
  auto session = cluster.open();
  CHECK(session->session_id() > session_before);
  auto claim = cluster.get(*session, "/claim");
  REQUIRE(outcome(claim) == "ok");
  CHECK(claim->data == std::string{"b\0c", 3});
  CHECK(claim->stat.version == before.version);
  CHECK(claim->stat.czxid == before.czxid);
  CHECK(claim->stat.ephemeral_owner == 0);
  CHECK(outcome(cluster.get(*session, "/claim/child")) == "ok");
  CHECK(outcome(cluster.get(*session, "/gone")) == "not_found");
  CHECK(outcome(cluster.get(*session, "/mine")) == "not_found");
  CHECK(outcome(cluster.get(*session, sequential)) == "not_found");
  // Numbers go on rising.
  REQUIRE(cluster.create(*session, "/new"));
  CHECK(cluster.get(*session, "/new")->stat.czxid > before.czxid);
  auto next =
      cluster.create(*session, "/claim/m-", create_mode::ephemeral_sequential);
  CHECK(next->substr(next->rfind('-')) >
        sequential.substr(sequential.rfind('-')));
}

TEST_CASE("a write that cannot be made durable changes nothing") {
  temporary_directory directory;
  failing_env env;
  {
    single_thread cluster{open_database(directory.path() + "/db", &env)};
    auto session = cluster.open();
    REQUIRE(cluster.create(*session, "/a", create_mode::persistent, "old"));
    int fired = 0;
    session->get(
        "/a", [&] { ++fired; }, [](const auto&) {});
    session->children(
        "/", [&] { ++fired; }, [](const auto&) {});
    cluster.runner->run();

    env.failing = true;
    CHECK(outcome(cluster.set(*session, "/a", "new")) == "io_error");
    CHECK(cluster.get(*session, "/a")->data == "old");
    CHECK(cluster.get(*session, "/a")->stat.version == 0);
    // LevelDB may have lost more than it said: no write is taken any more.
    CHECK(outcome(cluster.create(*session, "/b")) == "closed");
    CHECK(outcome(cluster.get(*session, "/b")) == "not_found");
    auto multi = cluster.ask<void>([&](auto done) {
      session->multi({{znode_op::kind::create, "/e", "", any_version,
                       create_mode::ephemeral},
                      {znode_op::kind::remove, "/a", "", any_version, {}}},
                     std::move(done));
    });
    CHECK(outcome(multi) == "closed");
    CHECK(outcome(cluster.get(*session, "/e")) == "not_found");
    CHECK(outcome(cluster.get(*session, "/a")) == "ok");
    CHECK(fired == 0);
    env.failing = false;
  }
  single_thread cluster{open_database(directory.path() + "/db", &env)};
  auto session = cluster.open();
  CHECK(cluster.get(*session, "/a")->data == "old");
}

TEST_CASE("nodes in a format of the future are refused, not guessed") {
  temporary_directory directory;
  auto database = open_database(directory.path() + "/db");
  embedded_batch batch;
  batch.put("zn/a", "\x02whatever");
  REQUIRE(database->write(batch));
  auto service =
      make_embedded_coordination(database, std::make_shared<manual_executor>());
  auto opened = service->open_session({});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code() == ec::bad_format);
  CHECK_THAT(opened.error().text(), Catch::Matchers::Contains("'/a'"));
}

TEST_CASE("each request and each delivery is one step of the executor") {
  single_thread cluster;
  auto session = cluster.open();
  std::vector<std::string> happened;
  session->create("/a", "", create_mode::persistent,
                  [&](const auto&) { happened.push_back("created"); });
  session->get(
      "/a", [&] { happened.push_back("watch"); },
      [&](const auto&) { happened.push_back("read"); });
  session->set("/a", "x", any_version,
               [&](const auto&) { happened.push_back("set"); });
  CHECK(happened.empty());
  std::vector<std::size_t> after_step;
  while (cluster.runner->step())
    after_step.push_back(happened.size());
  // Request, answer; request, answer; request, watch, answer.
  CHECK(after_step == std::vector<std::size_t>{0, 1, 1, 2, 2, 3, 4});
  CHECK(happened ==
        std::vector<std::string>{"created", "read", "watch", "set"});
}

TEST_CASE("names of sequential nodes are the same in every run") {
  auto run = [] {
    single_thread cluster;
    auto session = cluster.open();
    std::vector<std::string> out;
    for (int i = 0; i < 3; ++i)
      out.push_back(
          *cluster.create(*session, "/m-", create_mode::ephemeral_sequential));
    return out;
  };
  CHECK(run() == run());
}

TEST_CASE("sessions expire by the given clock when told to look") {
  single_thread cluster;
  std::vector<session_event> heard;
  auto session = cluster.open([&](session_event e) { heard.push_back(e); });
  auto other = cluster.open();
  REQUIRE(cluster.create(*session, "/mine", create_mode::ephemeral));
  CHECK(session->since_last_contact().count() == 0);

  cluster.service->disconnect(session->session_id());
  cluster.now += session->session_timeout() / 2;
  CHECK(session->since_last_contact() == session->session_timeout() / 2);
  cluster.service->expire_overdue();
  CHECK(outcome(cluster.get(*other, "/mine")) == "ok");

  cluster.now += session->session_timeout() / 2;
  cluster.service->expire_overdue();
  CHECK(outcome(cluster.get(*other, "/mine")) == "not_found");
  cluster.runner->run();
  CHECK(heard == std::vector{session_event::disconnected});
  cluster.service->reconnect(session->session_id());
  cluster.runner->run();
  CHECK(heard ==
        std::vector{session_event::disconnected, session_event::expired});
  CHECK(other->since_last_contact().count() == 0);
}

TEST_CASE("a crashed process leaves its ephemerals to the timeout") {
  single_thread cluster;
  auto other = cluster.open();
  auto session = cluster.open();
  auto id = session->session_id();
  REQUIRE(cluster.create(*session, "/mine", create_mode::ephemeral));
  // The way to end a session without a word: cut it off first.
  cluster.service->disconnect(id);
  session.reset();
  CHECK(outcome(cluster.get(*other, "/mine")) == "ok");
  cluster.service->expire_session(id);
  CHECK(outcome(cluster.get(*other, "/mine")) == "not_found");
}

TEST_CASE("a connected session that is expired hears it at once") {
  single_thread cluster;
  std::vector<session_event> heard;
  auto session = cluster.open([&](session_event e) { heard.push_back(e); });
  cluster.service->expire_session(session->session_id());
  cluster.runner->run();
  CHECK(heard ==
        std::vector{session_event::disconnected, session_event::expired});
  CHECK(outcome(cluster.get(*session, "/")) == "session_expired");
}

TEST_CASE("a write under way when the connection breaks is unknown") {
  single_thread cluster;
  auto session = cluster.open();
  std::string write;
  std::string read;
  session->create("/a", "", create_mode::persistent,
                  [&](const auto& r) { write = outcome(r); });
  session->get("/", nullptr, [&](const auto& r) { read = outcome(r); });
  cluster.service->disconnect(session->session_id());
  cluster.runner->run();
  CHECK(write == "unknown_outcome");
  CHECK(read == "disconnected");
  cluster.service->reconnect(session->session_id());
  CHECK(outcome(cluster.get(*session, "/a")) == "not_found");
}
