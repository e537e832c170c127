// What a task does with the state that a restore gives it.
#include <catch2/catch.hpp>

#include "stores/changelog/commit_record.hpp"
#include "test/unit/actors/task/task_rig.hpp"

using namespace weir;
using namespace weir::test;

namespace {

/// Keeps the last value of each key.
class keeper : public rig_task {
public:
  using rig_task::rig_task;
  void process(const record& x) override {
    values.put(*x.key(), std::string{*x.value()});
  }
};

/// A transaction of the changelog that lost its commit record.
void tear(task_rig& rig, const std::string& key, const std::string& value) {
  producer_options options;
  options.transactional_id = "torn";
  auto to = rig.streams().open_producer(options);
  REQUIRE(to);
  // Of the rig's first owner.
  auto lane = parse_lane_id(std::string(32, 'a'));
  REQUIRE(lane);
  auto by = encode(origin{*lane, 1, 3});
  header mark{origin_header, by};
  outgoing x;
  x.topic = *(*to)->open_topic("t-changelog");
  x.key = key;
  x.value = value;
  x.headers = {&mark, 1};
  REQUIRE((*to)->begin());
  REQUIRE((*to)->send(x));
  REQUIRE((*to)->commit());
}

/// A life with one record, "a" to "1"; answers its key in the changelog.
std::string run_once(task_rig& rig) {
  rig.feed("a", "1");
  rig.spawn<keeper>();
  rig.begin();
  rig.pass();
  rig.seal(true);
  rig.commit();
  rig.end(true);
  // The embedded log compacts at once: a key's last record is left.
  auto key = *rig.read("t-changelog").at(0).key;
  REQUIRE(key != commit_key);
  return key;
}

} // namespace

TEST_CASE("R7: keys of a torn transaction are written again before the first "
          "record",
          "[task]") {
  task_rig rig;
  auto key = run_once(rig);
  tear(rig, key, "torn");
  REQUIRE(rig.read("t-changelog").back().value == "torn");

  rig.feed("b", "2");
  rig.spawn<keeper>();
  rig.begin();
  rig.seal();
  rig.commit();
  CHECK(rig.notes().failures.empty());
  CHECK(rig.notes().applied.back().positions == std::vector<std::int64_t>{1});
  auto log = rig.read("t-changelog");
  REQUIRE(log.size() == 2);
  CHECK(log[0].key == key);
  CHECK(log[0].value == "1");
  CHECK(log[1].key == commit_key);
  // Then the input goes on.
  rig.begin();
  rig.pass();
  CHECK(rig.notes().applied.back().positions == std::vector<std::int64_t>{2});
}

TEST_CASE("L7: a commit that the disk does not take fails the task and is not "
          "lost",
          "[task]") {
  task_rig rig;
  rig.feed("a", "1");
  rig.spawn<keeper>();
  rig.begin();
  rig.pass();
  rig.seal();
  REQUIRE(rig.commit_transaction());
  rig.disk().set_full(true);
  rig.apply();
  CHECK(rig.notes().applied.size() == 1);
  REQUIRE(rig.notes().failures.size() == 1);
  CHECK(rig.notes().failures[0].code() == ec::io_error);
  rig.end(false);
  CHECK_FALSE(rig.notes().gone.at(0).clean);
  // The lane waits for such an error to go.
  auto refused = rig.restore();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ec::io_error);
  rig.disk().set_full(false);
  auto restored = rig.restore();
  REQUIRE(restored);
  CHECK((*restored)->inputs.at(0).position.next_offset == 1);
}

TEST_CASE(
    "R1: a changelog that does not give its commit's state is refused, at "
    "the next start too",
    "[task]") {
  task_rig rig;
  auto key = run_once(rig);
  // A torn record took the place of the committed one, when the log was
  // compacted; only the local database knows that.
  tear(rig, key, "torn");
  REQUIRE(rig.restore());
  const std::string place = "/data/tasks/t/0/db";
  SECTION("the directory was wiped") {
    REQUIRE(remove_directory(*rig.context().outside.files, place));
  }
  SECTION("the database is damaged") {
    rig.disk().set_contents(place + "/CURRENT", "MANIFEST-999999\n");
  }
  for (int start = 0; start < 3; ++start) {
    auto refused = rig.restore();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == ec::corruption);
    CHECK(refused.error().text().find("digest") != std::string::npos);
  }
}
