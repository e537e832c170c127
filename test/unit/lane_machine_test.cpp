#include <catch2/catch.hpp>

#include "actors/lane_machine.hpp"

using weir::lane_machine;

namespace {

template <class T>
int count(const lane_machine::actions& todo) {
  int out = 0;
  for (auto& each : todo)
    out += std::holds_alternative<T>(each) ? 1 : 0;
  return out;
}

template <class T>
const T& only(const lane_machine::actions& todo) {
  REQUIRE(count<T>(todo) == 1);
  for (auto& each : todo)
    if (auto* x = std::get_if<T>(&each))
      return *x;
  throw std::logic_error{"counted above"};
}

/// A lane with tasks 0 and 1 in transaction 1.
lane_machine running() {
  lane_machine x;
  only<lane_machine::begin>(x.opened());
  only<lane_machine::begun>(x.join(0, false));
  only<lane_machine::begun>(x.join(1, false));
  return x;
}

/// The same, committed up to the answer of transaction 1; task 1 was empty.
lane_machine published() {
  auto x = running();
  REQUIRE(count<lane_machine::seal>(x.want_commit()) == 2);
  x.sealed(0, 1, false);
  REQUIRE(only<lane_machine::commit>(x.sealed(1, 1, true)).number == 1);
  return x;
}

} // namespace

TEST_CASE("seal, publish, apply, in this order", "[lane]") {
  auto x = running();
  auto seals = x.want_commit();
  REQUIRE(count<lane_machine::seal>(seals) == 2);
  REQUIRE(x.sealed(0, 1, false).empty());
  auto commit = x.sealed(1, 1, false);
  REQUIRE(only<lane_machine::commit>(commit).number == 1);
  auto after = x.committed(1, false);
  REQUIRE(count<lane_machine::apply>(after) == 2);
  REQUIRE(only<lane_machine::begin>(after).number == 2);
  REQUIRE(count<lane_machine::begun>(after) == 2);
}

TEST_CASE("L5: seal n+1 waits for every apply n", "[lane]") {
  auto x = published();
  auto after = x.committed(1, false);
  REQUIRE(only<lane_machine::apply>(after).partition == 0);
  REQUIRE(x.want_commit().empty());
  auto next = x.applied(0, 1);
  REQUIRE(count<lane_machine::seal>(next) == 2);
}

TEST_CASE("L1: at-least-once waits for the outputs of every task", "[lane]") {
  auto x = running();
  x.at_least_once = true;
  x.want_commit();
  REQUIRE(x.sealed(0, 1, false).empty());
  REQUIRE(x.sealed(1, 1, true).empty());
  REQUIRE(count<lane_machine::commit>(x.outputs_acknowledged(0, 1)) == 1);
}

TEST_CASE("nothing to commit: the same transaction goes on", "[lane]") {
  auto x = running();
  x.want_commit();
  x.sealed(0, 1, true);
  auto after = x.sealed(1, 1, true);
  REQUIRE(count<lane_machine::commit>(after) == 0);
  REQUIRE(count<lane_machine::begin>(after) == 0);
  REQUIRE(count<lane_machine::begun>(after) == 2);
  REQUIRE(x.transaction() == 1);
}

TEST_CASE("L6: a task that joins behind the seal waits for the next begin",
          "[lane]") {
  auto x = running();
  x.want_commit();
  REQUIRE(x.join(2, false).empty());
  x.sealed(0, 1, false);
  only<lane_machine::commit>(x.sealed(1, 1, false));
  REQUIRE(x.join(3, false).empty());
  auto after = x.committed(1, false);
  REQUIRE(count<lane_machine::apply>(after) == 2);
  REQUIRE(count<lane_machine::begun>(after) == 4);
}

TEST_CASE("R3: a first commit is forced at once, before any record", "[lane]") {
  lane_machine x;
  x.opened();
  auto todo = x.join(0, true);
  auto& seal = only<lane_machine::seal>(todo);
  REQUIRE(seal.forced);
  only<lane_machine::commit>(x.sealed(0, 1, false));
  x.committed(1, false);
  x.applied(0, 1);
  REQUIRE_FALSE(only<lane_machine::seal>(x.want_commit()).forced);
}

TEST_CASE("L9: a heartbeat commits tasks without changes, once", "[lane]") {
  auto x = running();
  auto seals = x.heartbeat();
  REQUIRE(count<lane_machine::seal>(seals) == 2);
  for (auto& each : seals)
    REQUIRE(std::get<lane_machine::seal>(each).forced);
  x.sealed(0, 1, false);
  only<lane_machine::commit>(x.sealed(1, 1, false));
  x.committed(1, false);
  x.applied(0, 1);
  x.applied(1, 1);
  for (auto& each : x.want_commit())
    REQUIRE_FALSE(std::get<lane_machine::seal>(each).forced);
}

TEST_CASE("L4: a retired id applies, and begins nothing before it is replaced",
          "[lane]") {
  auto x = published();
  auto after = x.committed(1, true);
  REQUIRE(count<lane_machine::apply>(after) == 1);
  REQUIRE(count<lane_machine::retire_id>(after) == 1);
  REQUIRE(count<lane_machine::begin>(after) == 0);
  REQUIRE(x.applied(0, 1).empty());
  REQUIRE(x.want_commit().empty());
  // The wish of a commit is kept: it starts right after the begin.
  auto open = x.opened();
  REQUIRE(only<lane_machine::begin>(open).number == 2);
  REQUIRE(count<lane_machine::seal>(open) == 2);
}

TEST_CASE("L3: a failure gives the lane up, once, and nothing follows",
          "[lane]") {
  auto x = published();
  REQUIRE(only<lane_machine::give_up>(x.failed("why", 1)).culprit == 1);
  REQUIRE(x.failed("again", std::nullopt).empty());
  REQUIRE(x.committed(1, false).empty());
  REQUIRE(x.applied(0, 1).empty());
  REQUIRE(x.want_commit().empty());
}

TEST_CASE("answers of another transaction are void", "[lane]") {
  auto x = running();
  x.want_commit();
  REQUIRE(x.sealed(0, 7, false).empty());
  REQUIRE(x.sealed(9, 1, false).empty());
  REQUIRE(x.committed(1, false).empty());
}

TEST_CASE("C2: stop seals a last time and ends when it is applied", "[lane]") {
  auto x = running();
  auto seals = x.stop();
  REQUIRE(count<lane_machine::seal>(seals) == 2);
  for (auto& each : seals)
    REQUIRE(std::get<lane_machine::seal>(each).last);
  x.sealed(0, 1, false);
  x.sealed(1, 1, false);
  auto after = x.committed(1, false);
  REQUIRE(count<lane_machine::begin>(after) == 0);
  REQUIRE(x.applied(0, 1).empty());
  only<lane_machine::stopped>(x.applied(1, 1));
}

TEST_CASE("stop while a commit is on its way commits once more", "[lane]") {
  auto x = published();
  REQUIRE(x.stop().empty());
  auto after = x.committed(1, false);
  REQUIRE(count<lane_machine::begin>(after) == 1);
  auto seals = x.applied(0, 1);
  REQUIRE(count<lane_machine::seal>(seals) == 2);
  REQUIRE(std::get<lane_machine::seal>(seals[0]).last);
  x.sealed(0, 2, true);
  only<lane_machine::stopped>(x.sealed(1, 2, true));
}

TEST_CASE("stop of a lane without tasks ends at once", "[lane]") {
  lane_machine x;
  x.opened();
  only<lane_machine::stopped>(x.stop());
}
