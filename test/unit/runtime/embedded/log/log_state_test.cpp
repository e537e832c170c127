// Who is woken when a partition of the embedded log grows.
#include <catch2/catch.hpp>

#include "runtime/embedded/log/log_state.hpp"

namespace weir::test {

namespace {

struct partition_rig {
  void publish(std::int64_t high) {
    wake_list wake;
    partition.publish({0, high}, wake);
    for (auto& x : wake)
      x->fire();
  }

  log_partition partition{{1, 0}};
  int calls = 0;
  std::shared_ptr<wake_slot> slot =
      std::make_shared<wake_slot>([this] { ++calls; });
};

} // namespace

TEST_CASE("log partition: an armed reader is woken once") {
  partition_rig rig;
  CHECK(rig.partition.arm(0, rig.slot));
  CHECK(rig.partition.arm(0, rig.slot));
  CHECK(rig.calls == 0);
  rig.publish(5);
  CHECK(rig.calls == 1);
  CHECK(rig.partition.limits().high == 5);
  // Not armed again: it is still reading.
  rig.publish(6);
  CHECK(rig.calls == 1);
  CHECK(rig.partition.arm(6, rig.slot));
  rig.publish(7);
  CHECK(rig.calls == 2);
}

TEST_CASE("log partition: an end that has moved meanwhile is told") {
  partition_rig rig;
  rig.publish(5);
  CHECK_FALSE(rig.partition.arm(4, rig.slot));
  rig.publish(6);
  CHECK(rig.calls == 0);
}

TEST_CASE("log partition: nobody is called who has gone") {
  partition_rig rig;
  CHECK(rig.partition.arm(0, rig.slot));
  SECTION("by its disarming") {
    rig.partition.disarm(rig.slot);
  }
  SECTION("or closed, if a commit has it in its hands already") {
    wake_list wake;
    rig.partition.publish({0, 1}, wake);
    REQUIRE(wake.size() == 1);
    rig.slot->close();
    wake[0]->fire();
  }
  rig.publish(5);
  CHECK(rig.calls == 0);
}

} // namespace weir::test
