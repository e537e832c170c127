// A task beside its records: checks, timers, messages, the end.
#include <catch2/catch.hpp>

#include "stores/kv/store_error.hpp"
#include "test/unit/actors/task/task_rig.hpp"

using namespace weir;
using namespace weir::test;
using namespace std::chrono_literals;

namespace {

/// Whatever a task's user does with a message.
struct user_message {};

const std::string unsendable(2u << 20, 'x');

settings with(guarantee promise) {
  settings out;
  out.guarantee = promise;
  return out;
}

class probe : public rig_task {
public:
  using rig_task::rig_task;
  void process(const record& x) override {
    values.put(*x.key(), std::string{*x.value()});
    out.emit(*x.key(), *x.value());
  }
};

} // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(user_message)

TEST_CASE("a task's records and outputs are in its commit", "[task]") {
  for (auto promise : {guarantee::exactly_once, guarantee::at_least_once}) {
    task_rig rig{with(promise)};
    rig.spawn<probe>();
    rig.feed("a", "1");
    rig.begin();
    // Start positions first (R3).
    rig.pass();
    rig.pass();
    CHECK(rig.notes().failures.empty());
    REQUIRE(rig.notes().applied.size() == 2);
    CHECK(rig.notes().applied.back().positions == std::vector<std::int64_t>{1});
    REQUIRE(rig.read("out").size() == 1);
    CHECK(rig.read("out")[0].value == "1");
    rig.end(true);
    REQUIRE(rig.notes().gone.size() == 1);
    CHECK(rig.notes().gone[0].clean);
  }
}

TEST_CASE("commits are counted over all incarnations of a task", "[task]") {
  task_rig rig;
  auto last = [&rig] {
    std::uint64_t number = 0;
    for (auto& each : rig.read("t-changelog"))
      if (each.key == commit_key)
        number = decode_commit(each.value.value()).value().number;
    return number;
  };
  for (std::uint64_t before : {0, 2, 4}) {
    rig.spawn<probe>();
    rig.feed("a", "1");
    rig.begin();
    rig.pass();
    if (before == 0)
      rig.feed("a", "2");
    rig.pass();
    CHECK(last() > before);
    auto now = last();
    rig.feed("b", "3");
    rig.pass();
    CHECK(last() == now + 1);
    rig.end(true);
  }
}

// -- what a record says of itself

namespace {

class tells_where_from : public probe {
public:
  using probe::probe;
  void process(const record& x) override {
    out.emit(x.input(), x.id());
    CHECK(x.topic() == x.input());
    CHECK(x.timestamp() > time_point{});
    CHECK_FALSE(x.header("none"));
  }
};

} // namespace

TEST_CASE("a record names its input and its place", "[task]") {
  task_rig rig{with(guarantee::exactly_once),
               make_outside_world(),
               {},
               {detail::describe(rig_two)}};
  rig.spawn<with_two<tells_where_from>>();
  rig.feed("a", "1");
  rig.feed("b", "2");
  rig.feed("c", "3", "two");
  rig.begin();
  rig.pass();
  rig.pass();
  std::map<std::string, std::vector<std::string>> seen;
  for (auto& each : rig.read("out"))
    seen[each.key.value()].push_back(each.value.value());
  CHECK(seen == std::map<std::string, std::vector<std::string>>{
                    {"in", {"in/0@0", "in/0@1"}}, {"two", {"two/0@0"}}});
}

// -- what cannot be sent

namespace {

class emits_in_check : public probe {
public:
  using probe::probe;
  result<void> on_check() override {
    out.emit("k", unsendable);
    return {};
  }
};

class emits_at_a_message : public probe {
public:
  using probe::probe;
  void on_sync() override { out.emit("k", unsendable); }
  caf::message_handler messages() override {
    return {[this](const user_message&) { out.emit("k", unsendable); }};
  }
};

} // namespace

TEST_CASE("an output that on_check cannot send fails the commit", "[task]") {
  task_rig rig;
  rig.spawn<emits_in_check>();
  rig.begin();
  rig.seal();
  CHECK(rig.notes().sealed.empty());
  REQUIRE(rig.notes().failures.size() == 1);
  CHECK(rig.notes().failures[0].code() == ec::too_large);
}

TEST_CASE("an output that a message cannot send fails the task", "[task]") {
  task_rig rig;
  rig.spawn<emits_at_a_message>();
  rig.begin();
  SECTION("of the user") {
    rig.tell(user_message{});
  }
  SECTION("T_s") {
    rig.tell(sync_due{});
  }
  REQUIRE(rig.notes().failures.size() == 1);
  CHECK(rig.notes().failures[0].code() == ec::too_large);
  rig.seal();
  CHECK(rig.notes().sealed.empty());
}

TEST_CASE("memory that is given back is not missed", "[task]") {
  task_rig rig;
  for (int i = 0; i < 3; ++i)
    rig.feed("k", "v");
  rig.spawn<probe>();
  rig.begin();
  rig.pass();
  // With changes that no commit holds, then between seal and apply, then idle.
  rig.tell(release_memory{});
  rig.seal();
  rig.tell(release_memory{});
  rig.commit();
  rig.tell(release_memory{});
  rig.feed("k", "w");
  rig.begin();
  rig.pass();
  rig.pass();
  CHECK(rig.notes().failures.empty());
  CHECK(rig.read("out").size() == 4);
}

TEST_CASE("a task stops, and asks for a commit, at a large transaction",
          "[task]") {
  settings how;
  // So many lanes share the node's budget: 256 KiB for this one.
  how.threads = 256;
  task_rig rig{how};
  REQUIRE(rig.context().memory.transaction == 256u << 10);
  rig.spawn<probe>();
  rig.begin();
  rig.pass();
  for (int i = 0; i < 10; ++i)
    rig.feed("k", std::string(100u << 10, 'x'));
  CHECK(rig.notes().wanted == 1);
  rig.pass();
  CHECK(rig.read("out").size() == 3);
  CHECK(rig.notes().wanted == 2);
  for (int i = 0; i < 3; ++i)
    rig.pass();
  CHECK(rig.read("out").size() == 10);
  CHECK(rig.notes().failures.empty());
}

// -- before the first transaction

namespace {

class emits_early : public probe {
public:
  explicit emits_early(const task_setup& setup) : probe(setup) {
    after(10ms, [this] { out.emit("k", "timer"); });
  }
  caf::message_handler messages() override {
    return {[this](const user_message&) { out.emit("k", "message"); }};
  }
};

} // namespace

TEST_CASE("what is emitted before the first begin waits for it", "[task]") {
  for (auto promise : {guarantee::exactly_once, guarantee::at_least_once}) {
    task_rig rig{with(promise)};
    rig.spawn<emits_early>();
    rig.wait(10ms);
    rig.tell(user_message{});
    CHECK(rig.read("out").empty());
    rig.begin();
    rig.pass();
    CHECK(rig.notes().failures.empty());
    std::vector<std::string> values;
    for (auto& x : rig.read("out"))
      values.push_back(*x.value);
    CHECK(values == std::vector<std::string>{"timer", "message"});
  }
}

// -- the end

namespace {

class throws_at_the_end : public probe {
public:
  using probe::probe;
  void on_close() override { throw 42; }
  void on_revoked() override { throw 42; }
};

class writes_at_the_end : public probe {
public:
  using probe::probe;
  void on_close() override {
    try_all();
    values.put("a", "thrown");
  }
  void on_revoked() override { try_all(); }
  static inline int refused = 0;

private:
  template <class Fn>
  void expect_refusal(Fn fn) {
    try {
      fn();
    } catch (const store_error& why) {
      CHECK(why.reason().code() == ec::closed);
      CHECK(why.reason().text().find("last commit") != std::string::npos);
      ++refused;
    }
  }
  void try_all() {
    expect_refusal([this] { out.emit("k", "v"); });
    expect_refusal([this] { values.put("a", "2"); });
    expect_refusal([this] { values.erase("a"); });
    CHECK(values.get("a") == "1");
  }
};

} // namespace

TEST_CASE("whatever a hook throws, the task ends", "[task]") {
  auto clean = GENERATE(true, false);
  task_rig rig;
  rig.spawn<throws_at_the_end>();
  rig.begin();
  rig.pass();
  rig.end(clean);
  REQUIRE(rig.notes().gone.size() == 1);
  CHECK(rig.notes().gone[0].clean);
}

TEST_CASE("C2: after the last seal emit and put are refused", "[task]") {
  auto promise = GENERATE(guarantee::exactly_once, guarantee::at_least_once);
  auto clean = GENERATE(true, false);
  task_rig rig{with(promise)};
  rig.spawn<writes_at_the_end>();
  rig.begin();
  rig.pass();
  rig.feed("a", "1");
  rig.seal(true);
  rig.commit();
  REQUIRE(rig.notes().failures.empty());
  writes_at_the_end::refused = 0;
  rig.end(clean);
  CHECK(writes_at_the_end::refused == 3);
  REQUIRE(rig.notes().gone.size() == 1);
  CHECK(rig.notes().gone[0].clean);
  CHECK(rig.read("out").size() == 1);
}

// -- the name of a commit

namespace {

class names_its_commit : public rig_task {
public:
  using rig_task::rig_task;
  void process(const record&) override { seen.push_back(commit_id()); }
  static inline std::vector<std::string> seen;
};

} // namespace

TEST_CASE("a commit has one name in whatever incarnation makes it", "[task]") {
  names_its_commit::seen.clear();
  auto& seen = names_its_commit::seen;
  task_rig rig;
  rig.feed("a", "1");
  rig.spawn<names_its_commit>();
  rig.begin();
  // Start positions first (R3).
  rig.pass();
  REQUIRE(seen == std::vector<std::string>{"generation/0#2"});
  // Its commit never comes.
  rig.end(false);
  rig.spawn<names_its_commit>();
  rig.begin();
  REQUIRE(seen.size() == 2);
  CHECK(seen[1] == seen[0]);
  rig.pass();
  rig.feed("a", "2");
  REQUIRE(seen.size() == 3);
  CHECK(seen[2] == "generation/0#3");
}
