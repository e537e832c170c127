// What a lane decides about its transactions and its tasks, event by event
// (rules H13, L1, L5 to L7). That no order of events breaks it:
// lane_enumeration_test.cpp.
#include "test/unit/actors/lane/lane_machine_rig.hpp"

using namespace weir::test;

TEST_CASE("seal, publish, apply, in this order", "[lane]") {
  auto x = running();
  REQUIRE(count<m::seal>(x.want_commit()) == 2);
  REQUIRE(x.sealed(0, 1, false).empty());
  REQUIRE(only<m::commit>(x.sealed(1, 1, false)).number == 1);
  auto after = x.committed(1, false);
  REQUIRE(count<m::apply>(after) == 2);
  REQUIRE(only<m::begin>(after).number == 2);
  REQUIRE(count<m::begun>(after) == 2);
}

TEST_CASE("L5: seal n+1 waits for every apply n", "[lane]") {
  auto x = published();
  REQUIRE(only<m::apply>(x.committed(1, false)).partition == 0);
  REQUIRE(x.want_commit().empty());
  REQUIRE(count<m::seal>(x.applied(0, 1)) == 2);
}

TEST_CASE("L1: at-least-once waits for the outputs of every task", "[lane]") {
  auto x = running();
  x.at_least_once = true;
  x.want_commit();
  REQUIRE(x.sealed(0, 1, false).empty());
  REQUIRE(x.sealed(1, 1, true).empty());
  REQUIRE(count<m::commit>(x.outputs_acknowledged(0, 1)) == 1);
}

TEST_CASE("nothing to commit: the same transaction goes on", "[lane]") {
  auto x = running();
  x.want_commit();
  x.sealed(0, 1, true);
  auto after = x.sealed(1, 1, true);
  REQUIRE(count<m::commit>(after) == 0);
  REQUIRE(count<m::begin>(after) == 0);
  REQUIRE(count<m::begun>(after) == 2);
  REQUIRE(x.transaction() == 1);
}

TEST_CASE("L6: a task that joins behind the seal waits for the next begin",
          "[lane]") {
  auto x = running();
  only<m::bring_up>(x.add(2));
  x.want_commit();
  REQUIRE(join(x, 2).empty());
  x.sealed(0, 1, false);
  only<m::commit>(x.sealed(1, 1, false));
  only<m::bring_up>(x.add(3));
  REQUIRE(join(x, 3).empty());
  auto after = x.committed(1, false);
  REQUIRE(count<m::apply>(after) == 2);
  REQUIRE(count<m::begun>(after) == 4);
}

TEST_CASE("R3: a first commit is forced at once, before any record", "[lane]") {
  auto x = opened(1);
  REQUIRE(only<m::seal>(join(x, 0, 1, true)).forced);
  only<m::commit>(x.sealed(0, 1, false));
  x.committed(1, false);
  x.applied(0, 1);
  REQUIRE_FALSE(only<m::seal>(x.want_commit()).forced);
}

TEST_CASE("L9: a heartbeat commits tasks without changes, once", "[lane]") {
  auto x = running();
  auto seals = x.heartbeat();
  REQUIRE(count<m::seal>(seals) == 2);
  for (auto& each : seals)
    REQUIRE(std::get<m::seal>(each).forced);
  x.sealed(0, 1, false);
  only<m::commit>(x.sealed(1, 1, false));
  x.committed(1, false);
  x.applied(0, 1);
  x.applied(1, 1);
  for (auto& each : x.want_commit())
    REQUIRE_FALSE(std::get<m::seal>(each).forced);
}

// -- retiring

TEST_CASE("H13: a task leaves with its next commit, the others go on",
          "[lane]") {
  auto x = running();
  auto seals = x.leave(0, departure::park);
  REQUIRE(count<m::seal>(seals) == 2);
  REQUIRE(std::get<m::seal>(seals[0]).last);
  REQUIRE_FALSE(std::get<m::seal>(seals[1]).last);
  x.sealed(0, 1, false);
  x.sealed(1, 1, false);
  auto after = x.committed(1, false);
  REQUIRE(count<m::apply>(after) == 2);
  REQUIRE(only<m::begun>(after).partition == 1);
  REQUIRE(count<m::end_task>(after) == 0);
  auto applied = x.applied(0, 1);
  REQUIRE(only<m::end_task>(applied).clean);
  // C2: the release is behind the end.
  auto let = only<m::let_go>(x.gone(0));
  REQUIRE(let.why == departure::park);
  // H28: its next bring-up waits for the operator.
  REQUIRE(only<m::bring_up>(x.let_gone(0, let.attempt)).partition == 0);
}

TEST_CASE("H13: who wants to leave behind its seal seals once more",
          "[lane]") {
  auto x = running();
  x.want_commit();
  REQUIRE(x.leave(0, departure::park).empty());
  x.sealed(0, 1, false);
  x.sealed(1, 1, true);
  REQUIRE(count<m::begun>(x.committed(1, false)) == 2);
  auto seals = x.applied(0, 1);
  REQUIRE(std::get<m::seal>(seals[0]).last);
}

TEST_CASE("H13: who leaves while the id is retired has its last commit with "
          "the fresh one",
          "[lane]") {
  auto x = retiring();
  REQUIRE(x.leave(1, departure::park).empty());
  x.id_opened(2);
  x.applied(0, 1);
  x.claim_moved(0, 2, true);
  auto open = x.claim_moved(1, 2, true);
  REQUIRE(count<m::seal>(open) == 2);
  for (auto& each : open)
    if (auto* seal = std::get_if<m::seal>(&each))
      REQUIRE(seal->last == (seal->partition == 1));
}

// -- failing

TEST_CASE("answers of another transaction are void", "[lane]") {
  auto x = running();
  x.want_commit();
  REQUIRE(x.sealed(0, 7, false).empty());
  REQUIRE(x.sealed(9, 1, false).empty());
  REQUIRE(x.committed(1, false).empty());
}
