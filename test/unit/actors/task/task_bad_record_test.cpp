// Records that a task rejects, or that are too large to be given to it.
#include <catch2/catch.hpp>

#include "test/unit/actors/task/task_rig.hpp"

using namespace weir;
using namespace weir::test;

namespace {

settings with(bad_record_policy policy) {
  settings out;
  out.on_bad_record = policy;
  return out;
}

/// Rejects values that begin with "bad", with what follows as the reason.
class picky : public rig_task {
public:
  using rig_task::rig_task;
  void process(const record& x) override {
    values.put("last", std::string{*x.value()});
    out.emit(*x.key(), *x.value());
    if (x.value()->starts_with("bad"))
      reject(x.value()->substr(3));
  }
};

void run(task_rig& rig) {
  rig.spawn<picky>();
  rig.begin();
  rig.pass();
  rig.pass();
}

} // namespace

TEST_CASE("a rejection needs no reason", "[task]") {
  for (auto value : {"bad", "badly"}) {
    task_rig rig{with(bad_record_policy::skip)};
    rig.feed("k", value);
    rig.feed("k", "good");
    run(rig);
    REQUIRE(rig.read("out").size() == 1);
    CHECK(rig.read("out")[0].value == "good");
    CHECK(rig.context().counts.total().skipped == 1);
  }
  task_rig rig;
  rig.feed("k", "bad");
  run(rig);
  REQUIRE(rig.notes().rejections.size() == 1);
  CHECK(rig.notes().rejections[0].text() == "in/0 offset 0: rejected");
}

namespace {

const std::string large = "bad" + std::string(2u << 20, 'x');

/// Commits what becomes of one bad record and the good one behind it.
std::vector<sent_record> letters_of(task_rig& rig) {
  run(rig);
  CHECK(rig.notes().failures.empty());
  auto& applied = rig.notes().applied;
  REQUIRE(!applied.empty());
  CHECK(applied.back().positions == std::vector<std::int64_t>{2});
  CHECK(rig.read("out").size() == 1);
  return rig.read("t-dead-letter");
}

} // namespace

TEST_CASE("a dead letter has the original bytes, however many", "[task]") {
  auto how = with(bad_record_policy::dead_letter);
  SECTION("too large for the task") {}
  SECTION("rejected by it") {
    how.max_record_bytes = 4u << 20;
  }
  task_rig rig{how};
  rig.feed("key", large);
  rig.feed("key", "good");
  auto letters = letters_of(rig);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].key == "key");
  CHECK(letters[0].value == large);
  CHECK(letters[0].header("weir.topic") == "in");
  CHECK(letters[0].header("weir.offset") == "0");
  CHECK(letters[0].header("weir.value-bytes").empty());
}

TEST_CASE("a dead letter that its topic does not take goes without its value",
          "[task]") {
  auto promise = GENERATE(guarantee::exactly_once, guarantee::at_least_once);
  auto how = with(bad_record_policy::dead_letter);
  how.guarantee = promise;
  task_rig rig{how};
  // As somebody else made it: for records of up to 1 MiB.
  REQUIRE(rig.streams().create_topic("t-dead-letter", {1, 1, {}}));
  std::string key = "key";
  bool with_key = GENERATE(true, false);
  if (!with_key)
    key.assign(2u << 20, 'k');
  rig.feed(key, large);
  rig.feed("key", "good");
  auto letters = letters_of(rig);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].key == (with_key ? std::optional{key} : std::nullopt));
  CHECK_FALSE(letters[0].value);
  CHECK(letters[0].header("weir.offset") == "0");
  CHECK(letters[0].header("weir.error").find("--max-record-bytes") !=
        std::string::npos);
  CHECK(letters[0].header("weir.value-bytes") == std::to_string(large.size()));
  CHECK(letters[0].header("weir.key-bytes") ==
        (with_key ? "" : std::to_string(key.size())));
}

TEST_CASE("a reason that is larger than a dead letter is cut", "[task]") {
  auto how = with(bad_record_policy::dead_letter);
  how.max_record_bytes = 4u << 20;
  task_rig rig{how};
  REQUIRE(rig.streams().create_topic("t-dead-letter", {1, 1, {}}));
  rig.feed("key", "bad:" + std::string(1u << 21, 'x'));
  rig.feed("key", "good");
  auto letters = letters_of(rig);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].header("weir.error").starts_with(":xxx"));
  CHECK(letters[0].header("weir.error").size() < 2000);
}
