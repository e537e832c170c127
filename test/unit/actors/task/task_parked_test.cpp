// What stops a task, and how it goes on after the operator's decision (H28).
#include <catch2/catch.hpp>

#include "test/unit/actors/task/task_rig.hpp"

using namespace weir;
using namespace weir::test;

namespace {

/// By the value: rejects "bad", throws at "throw", emits or keeps two megabytes
/// at "emit" and "keep".
class fragile : public rig_task {
public:
  using rig_task::rig_task;
  void process(const record& x) override {
    std::string_view what = *x.value();
    out.emit("seen", what);
    values.put("last", std::string{what});
    if (what == "bad")
      reject("not like this");
    if (what == "throw")
      throw std::runtime_error{"poison"};
    if (what == "emit")
      out.emit("large", std::string(2u << 20, 'x'));
    if (what == "keep")
      values.put("large", std::string(20u << 20, 'x'));
  }
};

parked_node decided(parked_decision what, std::int64_t offset) {
  parked_node out;
  out.kind = parked_kind::bad_record;
  out.why = "not like this";
  out.topic = "in";
  out.partition = 0;
  out.offset = offset;
  out.decision = what;
  return out;
}

void feed(task_rig& rig, std::initializer_list<const char*> values) {
  for (auto* each : values)
    rig.feed("k", each);
}

template <class Task = fragile>
void run(task_rig& rig) {
  rig.spawn<Task>();
  rig.begin();
  rig.pass();
  rig.pass();
}

std::vector<std::string> outputs(task_rig& rig) {
  std::vector<std::string> out;
  for (auto& each : rig.read("out"))
    out.push_back(*each.value);
  return out;
}

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("H28: what stopped a task is named, without its content",
          "[parked]") {
  task_rig rig;
  feed(rig, {"good", "bad", "behind"});
  run(rig);
  REQUIRE(rig.notes().rejected.size() == 1);
  auto& x = rig.notes().rejected[0];
  CHECK(x.kind == parked_kind::bad_record);
  REQUIRE(x.fault);
  CHECK(x.fault->topic == "in");
  CHECK(x.fault->offset == 1);
  CHECK(x.fault->key_bytes == 1);
  CHECK(x.fault->value_bytes == 3);
  // What is before it is committed, nothing behind it is touched.
  CHECK(outputs(rig) == strings{"good"});
}

TEST_CASE("H28: a record that the operator skips is passed, once", "[parked]") {
  task_rig rig;
  rig.decide(decided(parked_decision::skip, 1));
  feed(rig, {"good", "bad", "behind"});
  run(rig);
  CHECK(rig.notes().rejected.empty());
  // What follows is in a later commit: it may fail, the decision stands.
  CHECK(rig.notes().wanted == 1);
  CHECK(outputs(rig) == strings{"good"});
  CHECK(rig.notes().applied.back().positions == std::vector<std::int64_t>{2});
  rig.pass();
  CHECK(outputs(rig) == strings{"good", "behind"});
  CHECK(rig.notes().applied.back().positions == std::vector<std::int64_t>{3});
  CHECK(rig.context().counts.total().skipped == 1);
}

TEST_CASE("H28: what was decided earlier is carried out too", "[parked]") {
  task_rig rig;
  REQUIRE(rig.streams().create_topic("t-dead-letter", {1, 1, {}}));
  auto later = decided(parked_decision::skip, 3);
  later.why = "the later one";
  later.kept = {{parked_decision::dead_letter, "in", 1, -1, "the earlier one"},
                // Of an input that the job had.
                {parked_decision::skip, "gone", 2, -1, ""}};
  rig.decide(later);
  feed(rig, {"a", "bad", "b", "throw", "c"});
  run(rig);
  // Each is committed before what follows it.
  CHECK(rig.notes().applied.back().positions == std::vector<std::int64_t>{2});
  rig.pass();
  CHECK(rig.notes().applied.back().positions == std::vector<std::int64_t>{4});
  rig.pass();
  CHECK(rig.notes().rejected.empty());
  CHECK(rig.notes().failures.empty());
  CHECK(outputs(rig) == strings{"a", "b", "c"});
  CHECK(rig.context().counts.total().skipped == 2);
  auto letters = rig.read("t-dead-letter");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].value == "bad");
  CHECK(letters[0].header("weir.error") == "the earlier one");
}

TEST_CASE("H28: the decision is about that record only", "[parked]") {
  task_rig rig;
  rig.decide(decided(parked_decision::skip, 1));
  feed(rig, {"good", "bad", "bad"});
  run(rig);
  REQUIRE(rig.notes().rejected.size() == 1);
  CHECK(rig.notes().rejected[0].fault->offset == 2);
}

TEST_CASE("H28: a record that the operator gives away is a dead letter",
          "[parked]") {
  task_rig rig;
  REQUIRE(rig.streams().create_topic("t-dead-letter", {1, 1, {}}));
  rig.decide(decided(parked_decision::dead_letter, 0));
  feed(rig, {"throw", "behind"});
  run(rig);
  CHECK(rig.notes().failures.empty());
  CHECK(outputs(rig).empty());
  rig.pass();
  CHECK(outputs(rig) == strings{"behind"});
  auto letters = rig.read("t-dead-letter");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].value == "throw");
  CHECK(letters[0].header("weir.error") == "not like this");
}

TEST_CASE("H28: resume tries again", "[parked]") {
  task_rig rig;
  rig.decide(decided(parked_decision::resume, 0));
  feed(rig, {"bad"});
  run(rig);
  CHECK(rig.notes().rejected.size() == 1);
}

TEST_CASE("an exception names its record", "[parked]") {
  task_rig rig;
  feed(rig, {"good", "throw"});
  run(rig);
  REQUIRE(rig.notes().failed.size() == 1);
  auto& x = rig.notes().failed[0];
  CHECK(x.where == failure_place::user_code);
  CHECK(x.why.text() == "in/0@1: the task's code threw: poison");
  REQUIRE(x.fault);
  CHECK(x.fault->offset == 1);
}

TEST_CASE("L8: what is before a record that failed is committed first",
          "[parked]") {
  task_rig rig;
  feed(rig, {"good", "more", "throw", "behind"});
  SECTION("without knowing of it nothing is") {
    run(rig);
    CHECK(rig.notes().failed.size() == 1);
    CHECK(outputs(rig).empty());
  }
  SECTION("the record fails, and alone") {
    rig.suspect(2);
    run(rig);
    CHECK(rig.notes().wanted >= 1);
    REQUIRE(rig.notes().failed.size() == 1);
    CHECK(rig.notes().failed[0].fault->offset == 2);
    CHECK(outputs(rig) == strings{"good", "more"});
    CHECK(rig.notes().applied.back().positions == std::vector<std::int64_t>{2});
  }
  SECTION("a record that does not fail again is passed") {
    rig.suspect(1);
    run(rig);
    REQUIRE(rig.notes().failed.size() == 1);
    CHECK(outputs(rig) == strings{"good"});
  }
  SECTION("the suspect has nothing before it") {
    rig.suspect(0);
    run(rig);
    CHECK(rig.notes().failed.size() == 1);
    CHECK(outputs(rig).empty());
  }
}

TEST_CASE("L8: timers that go on do not keep a suspect record waiting",
          "[parked]") {
  struct ticking : fragile {
    using fragile::fragile;
    void on_assigned(state_origin) override {
      every(std::chrono::milliseconds{5}, [this] { values.put("t", "x"); });
    }
  };
  task_rig rig;
  rig.suspect(1);
  feed(rig, {"good", "fine"});
  rig.spawn<ticking>();
  rig.begin();
  rig.pass();
  // Between every seal and its apply something changes again.
  for (int i = 0; i < 2; ++i) {
    rig.seal();
    rig.wait(std::chrono::milliseconds{6});
    rig.commit();
    rig.begin();
  }
  CHECK(outputs(rig) == strings{"good", "fine"});
}

TEST_CASE("an output that no topic takes makes its record bad", "[parked]") {
  auto promise = GENERATE(guarantee::exactly_once, guarantee::at_least_once);
  settings how;
  how.guarantee = promise;
  SECTION("fail: the task is parked") {
    task_rig rig{how};
    feed(rig, {"good", "emit", "behind"});
    run(rig);
    CHECK(rig.notes().failures.empty());
    REQUIRE(rig.notes().rejected.size() == 1);
    auto& x = rig.notes().rejected[0];
    CHECK(x.kind == parked_kind::too_large);
    CHECK(x.why.text().find("'out'") != std::string::npos);
    CHECK(x.why.text().find("1048588") != std::string::npos);
    CHECK(outputs(rig) == strings{"good"});
  }
  SECTION("skip and dead letter: it is passed") {
    bool letter = GENERATE(false, true);
    how.on_bad_record =
        letter ? bad_record_policy::dead_letter : bad_record_policy::skip;
    task_rig rig{how};
    feed(rig, {"good", "emit", "behind"});
    run(rig);
    CHECK(rig.notes().failures.empty());
    CHECK(outputs(rig) == strings{"good", "behind"});
    CHECK(rig.context().counts.total().skipped == 1);
    if (letter)
      CHECK(rig.read("t-dead-letter").size() == 1);
  }
}

TEST_CASE("a value of the state that the changelog does not take", "[parked]") {
  settings how;
  how.on_bad_record = bad_record_policy::skip;
  SECTION("shows at the seal, without its record") {
    task_rig rig{how};
    feed(rig, {"good", "keep", "behind"});
    run(rig);
    REQUIRE(rig.notes().failed.size() == 1);
    CHECK(rig.notes().failed[0].why.code() == ec::too_large);
    CHECK_FALSE(rig.notes().failed[0].fault);
  }
  SECTION("is found record by record in the next life") {
    task_rig rig{how};
    rig.be_careful();
    feed(rig, {"good", "keep", "behind"});
    run(rig);
    CHECK(rig.notes().failed.empty());
    CHECK(outputs(rig) == strings{"good", "behind"});
    CHECK(rig.context().counts.total().skipped == 1);
  }
}

TEST_CASE("records that are gone before they were read", "[parked]") {
  task_rig rig{{}, make_outside_world(), {{"retention.bytes", "10000"}}};
  feed(rig, {"a", "b", "c"});
  run(rig);
  rig.end(true);
  std::string large(1000, 'x');
  for (int i = 0; i < 30; ++i)
    rig.feed("k", large);
  auto low =
      rig.streams().query_watermarks("in", 0, isolation::read_committed)->low;
  REQUIRE(low > 3);
  SECTION("park the task, and say which") {
    auto found = rig.restore();
    REQUIRE_FALSE(found);
    CHECK(found.error().code() == ec::data_loss);
    auto said = std::to_string(low - 3) + " records, from offset 3 to " +
                std::to_string(low - 1);
    CHECK(found.error().text().find(said) != std::string::npos);
    REQUIRE(rig.fault());
    CHECK(rig.fault()->offset == 3);
    CHECK(rig.fault()->until == low);
  }
  SECTION("can be left behind") {
    auto gap = decided(parked_decision::skip, 3);
    gap.kind = parked_kind::lost_input;
    gap.until = gap.offset + 1;
    rig.decide(gap);
    auto found = rig.restore();
    REQUIRE(found);
    CHECK((*found)->inputs[0].position.next_offset == low);
    CHECK((*found)->lost == static_cast<std::uint64_t>(low - 3));
    // It is committed before the first record.
    CHECK((*found)->first_commit);
  }
  SECTION("a decision about another gap does not count") {
    auto gap = decided(parked_decision::skip, 2);
    gap.kind = parked_kind::lost_input;
    gap.until = gap.offset + 1;
    rig.decide(gap);
    CHECK_FALSE(rig.restore());
  }
}

TEST_CASE("gaps of several inputs are decided about at once", "[parked]") {
  task_rig rig{{},
               make_outside_world(),
               {{"retention.bytes", "10000"}},
               {detail::describe(rig_two)}};
  feed(rig, {"a", "b", "c"});
  rig.feed("k", "a", "two");
  run<with_two<fragile>>(rig);
  rig.end(true);
  std::string large(1000, 'x');
  for (int i = 0; i < 30; ++i) {
    rig.feed("k", large);
    rig.feed("k", large, "two");
  }
  auto low_of = [&](const char* topic) {
    return rig.streams()
        .query_watermarks(topic, 0, isolation::read_committed)
        ->low;
  };
  auto found = rig.restore();
  REQUIRE_FALSE(found);
  CHECK(found.error().code() == ec::data_loss);
  CHECK(found.error().text().find("input in/0: ") != std::string::npos);
  CHECK(found.error().text().find("input two/0: ") != std::string::npos);
  REQUIRE(rig.fault());
  CHECK(rig.fault()->topic == "in");
  CHECK(rig.fault()->more_gaps ==
        std::vector<input_gap>{{"two", 1, low_of("two")}});

  auto gap = decided(parked_decision::skip, 3);
  gap.kind = parked_kind::lost_input;
  gap.until = gap.offset + 1;
  SECTION("one of them is not enough") {
    rig.decide(gap);
    CHECK_FALSE(rig.restore());
    // Both are named again.
    REQUIRE(rig.fault());
    CHECK(rig.fault()->more_gaps.size() == 1);
  }
  SECTION("both are crossed") {
    gap.more_gaps = rig.fault()->more_gaps;
    rig.decide(gap);
    auto taken = rig.restore();
    REQUIRE(taken);
    CHECK((*taken)->inputs[0].position.next_offset == low_of("in"));
    CHECK((*taken)->inputs[1].position.next_offset == low_of("two"));
    CHECK((*taken)->first_commit);
  }
}
