// A task's turns: how long they are and what overtakes them.
#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "runtime/base/log.hpp"
#include "test/unit/actors/task/task_rig.hpp"
#include "test/unit/manual_clock.hpp"

using namespace weir;
using namespace weir::test;
using namespace std::chrono_literals;

namespace {

/// What the tasks of this file do with a record.
struct {
  manual_clock* world = nullptr;
  std::chrono::nanoseconds work{0};
  /// With the number of the record, before its work.
  std::function<void(task&, int)> at;
  int records = 0;
  int seals = 0;
} script;

class scripted : public rig_task {
public:
  using rig_task::rig_task;
  void process(const record&) override {
    if (script.at)
      script.at(*this, script.records);
    ++script.records;
    script.world->now += script.work;
  }
  result<void> on_check() override {
    ++script.seals;
    return {};
  }
};

struct scene {
  scene() : world(std::make_shared<manual_clock>()), rig({}, world) {
    script = {};
    script.world = world.get();
    rig.spawn<scripted>();
    // Start positions first (R3).
    rig.begin();
    rig.pass();
  }
  ~scene() { script.at = {}; }

  void feed(int records) {
    for (int i = 0; i < records; ++i)
      rig.feed("k", "v");
  }

  std::shared_ptr<manual_clock> world;
  task_rig rig;
};

/// Collects the log's lines meanwhile.
class logged {
public:
  logged() {
    set_log_sink(
        [this](log_level, std::string_view event, std::string_view text) {
          lines.push_back(std::string{event} + ' ' + std::string{text});
        });
  }
  ~logged() { set_log_sink({}); }

  std::vector<std::string> lines;
};

} // namespace

TEST_CASE("a seal waits for one turn, however slow the records are",
          "[turns]") {
  scene now;
  script.work = 200ms;
  std::vector<int> seals_before;
  script.at = [&](task& self, int number) {
    seals_before.push_back(script.seals);
    // As the lane would, in the middle of a call.
    if (number == 0)
      tell_high(caf::actor_cast<caf::actor>(&self),
                seal_request{2, false, false});
  };
  // All of them are there before the first is read.
  auto* streams = &now.rig.streams();
  auto to = std::move(*streams->open_producer({}));
  outgoing x;
  x.topic = *to->open_topic("in");
  x.key = "k";
  x.value = "v";
  for (int i = 0; i < 3; ++i)
    REQUIRE(to->send(x));
  REQUIRE(to->flush(1s));
  now.rig.wait(0ms);
  REQUIRE(seals_before.size() == 3);
  CHECK(seals_before[1] == seals_before[0] + 1);
}

TEST_CASE("tasks of a node share its places record by record if they must",
          "[turns]") {
  scene now;
  script.work = 2ms;
  auto& context = const_cast<node_context&>(now.rig.context());
  // Another task that always has something to do; 2 places.
  int granted = 0;
  auto other = context.turns.join([&] { ++granted; }, 1);
  auto third = context.turns.join([&] { ++granted; }, 2);
  other->want();
  third->want();
  REQUIRE(granted == 2);
  now.feed(3);
  CHECK(script.records == 0);
  other->done(1ms, false);
  now.rig.wait(0ms);
  CHECK(script.records == 3);
}

TEST_CASE("a slow call is logged with its record, once in a while", "[turns]") {
  scene now;
  script.work = 30ms;
  logged log;
  now.feed(4);
  CHECK(script.records == 4);
  REQUIRE(log.lines.size() == 1);
  CHECK(log.lines[0] ==
        "task.slow task=0 record=in/0@0 ms=30 others_since_last_line=0");
  auto pulses = now.rig.context().pulses.all();
  REQUIRE(pulses.size() == 1);
  CHECK(pulses[0].pulse->slow_calls() == 4);
  now.world->now += 10s;
  now.feed(1);
  REQUIRE(log.lines.size() == 2);
  CHECK(log.lines[1] ==
        "task.slow task=0 record=in/0@4 ms=30 others_since_last_line=3");
}

TEST_CASE("a call that is not back shows in the task's pulse", "[turns]") {
  scene now;
  std::optional<task_pulse::call> seen;
  script.at = [&](task&, int) {
    now.world->now += 60s;
    seen = now.rig.context().pulses.all().at(0).pulse->running(
        now.world->now.count());
  };
  now.feed(1);
  REQUIRE(seen);
  CHECK(seen->of == task_pulse::code::process);
  CHECK(seen->offset == 0);
  CHECK(seen->ns == 60'000'000'000);
  script.at = {};
  CHECK_FALSE(now.rig.context().pulses.all().at(0).pulse->running(
      now.world->now.count()));
}

TEST_CASE("a seal that waited long is logged", "[turns]") {
  scene now;
  logged log;
  auto sent = now.world->now.count();
  now.world->now += 700ms;
  now.rig.tell(seal_request{2, false, false, sent});
  REQUIRE(log.lines.size() == 1);
  CHECK(log.lines[0] == "scheduler.delay task=0 what=seal ms=700 slow_calls=0");
}

// -- what a handler may ask

namespace {

class asking : public rig_task {
public:
  using rig_task::rig_task;
  void process(const record& x) override {
    CHECK(&current() == &x);
    ends.push_back(at_end());
    times.push_back(now());
    // The world's clock falls while the turn lasts, and between turns.
    script.world->now -= 5ms;
    numbers.push_back(random()());
  }

  static inline std::vector<bool> ends;
  static inline std::vector<time_point> times;
  static inline std::vector<std::uint64_t> numbers;
};

} // namespace

TEST_CASE("a handler knows its record, the time, and whether more is there",
          "[turn]") {
  asking::ends.clear();
  asking::times.clear();
  asking::numbers.clear();
  auto world = std::make_shared<manual_clock>();
  script = {};
  script.world = world.get();
  task_rig rig{{}, world};
  rig.spawn<asking>();
  rig.begin();
  rig.pass();
  world->now += 10s;
  for (int i = 0; i < 3; ++i)
    rig.feed("k", "v");
  rig.pass();
  rig.feed("k", "v");
  REQUIRE(asking::times.size() == 4);
  CHECK(std::is_sorted(asking::times.begin(), asking::times.end()));
  CHECK(asking::ends.back());
  std::set<std::uint64_t> different{asking::numbers.begin(),
                                    asking::numbers.end()};
  CHECK(different.size() == 4);
}
