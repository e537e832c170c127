// What a lane decides, event by event (rules H11 to H13, L3 to L7). That no
// order of events breaks it: lane_enumeration_test.cpp.
#include <catch2/catch.hpp>

#include "actors/lane_machine.hpp"

using weir::lane_machine;
using phase = lane_machine::phase;
using departure = lane_machine::departure;

namespace {

template <class T>
int count(const lane_machine::actions& todo) {
  int out = 0;
  for (auto& each : todo)
    out += std::holds_alternative<T>(each) ? 1 : 0;
  return out;
}

template <class T>
T only(const lane_machine::actions& todo) {
  REQUIRE(count<T>(todo) == 1);
  for (auto& each : todo)
    if (auto* x = std::get_if<T>(&each))
      return *x;
  throw std::logic_error{"counted above"};
}

using m = lane_machine;

/// Bring-up of `partition` succeeds.
lane_machine::actions join(lane_machine& x, int partition,
                           std::uint64_t attempt = 1,
                           bool first_commit = false) {
  REQUIRE(x.is_current(partition, attempt));
  return x.joined(partition, attempt, first_commit);
}

/// Open, with id 1 and without tasks.
lane_machine opened(int tasks = 0) {
  lane_machine x;
  for (int p = 0; p < tasks; ++p)
    x.add(p);
  REQUIRE(only<m::open_id>(x.start()).id == 1);
  auto todo = x.id_opened(1);
  REQUIRE(only<m::use_id>(todo).id == 1);
  REQUIRE(only<m::begin>(todo).number == 1);
  REQUIRE(count<m::bring_up>(todo) == tasks);
  return x;
}

/// A lane with tasks 0 and 1 in transaction 1.
lane_machine running() {
  auto x = opened(2);
  only<m::begun>(join(x, 0));
  only<m::begun>(join(x, 1));
  return x;
}

/// The same, committed up to the answer of transaction 1; task 1 was empty.
lane_machine published() {
  auto x = running();
  REQUIRE(count<m::seal>(x.want_commit()) == 2);
  x.sealed(0, 1, false);
  REQUIRE(only<m::commit>(x.sealed(1, 1, true)).number == 1);
  return x;
}

/// The same, with doubt: task 0 applies, id 2 is on its way.
lane_machine retiring() {
  auto x = published();
  auto todo = x.committed(1, true);
  REQUIRE(only<m::apply>(todo).partition == 0);
  REQUIRE(only<m::open_id>(todo).id == 2);
  REQUIRE(count<m::begin>(todo) == 0);
  REQUIRE(x.state() == phase::retiring);
  return x;
}

} // namespace

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

TEST_CASE("L4, H12: void, initialise, move, begin", "[lane]") {
  auto x = retiring();
  // Its timer starts no bring-up, and a commit is only remembered.
  REQUIRE(x.want_commit().empty());
  REQUIRE(count<m::bring_up>(x.add(2)) == 0);
  // Claims move once the fresh id is initialised, the applies go on meanwhile.
  auto moves = x.id_opened(2);
  REQUIRE(count<m::move_claim>(moves) == 2);
  REQUIRE(count<m::begin>(moves) == 0);
  REQUIRE(x.claim_moved(0, 2, true).empty());
  REQUIRE(x.claim_moved(1, 2, true).empty());
  // The begin waits for every apply too (L5).
  auto open = x.applied(0, 1);
  REQUIRE(only<m::use_id>(open).id == 2);
  REQUIRE(only<m::drop_id>(open).id == 1);
  REQUIRE(only<m::begin>(open).number == 2);
  REQUIRE(only<m::bring_up>(open).partition == 2);
  REQUIRE(count<m::seal>(open) == 2);
}

TEST_CASE("H12: a bring-up does not outlive its id", "[lane]") {
  auto x = published();
  only<m::bring_up>(x.add(2));
  auto todo = x.committed(1, true);
  REQUIRE(only<m::end_bring_up>(todo).partition == 2);
  REQUIRE_FALSE(x.is_current(2, 1));
  // Nor does the timer of one that failed: it starts none before the begin.
  auto y = published();
  only<m::bring_up>(y.add(2));
  auto later = only<m::bring_up_later>(y.bring_up_failed(2, 1));
  y.committed(1, true);
  REQUIRE(y.bring_up_due(2, later.attempt).empty());
}

TEST_CASE("H12: the begin waits for every claim", "[lane]") {
  auto x = retiring();
  x.applied(0, 1);
  x.id_opened(2);
  REQUIRE(x.claim_moved(0, 2, true).empty());
  REQUIRE(count<m::begin>(x.claim_moved(1, 2, true)) == 1);
}

TEST_CASE("H12: a claim that was lost takes its task along, not the lane",
          "[lane]") {
  auto x = retiring();
  x.id_opened(2);
  x.applied(0, 1);
  auto lost = x.claim_moved(0, 2, false);
  REQUIRE(only<m::end_task>(lost).partition == 0);
  auto open = x.claim_moved(1, 2, true);
  REQUIRE(only<m::begun>(open).partition == 1);
  // It comes back through a bring-up, which finds out whose the claim is.
  REQUIRE(only<m::bring_up_later>(x.gone(0)).partition == 0);
}

TEST_CASE("H12: retiring ends, one way or the other", "[lane]") {
  auto x = retiring();
  REQUIRE(count<m::end_task>(x.retire_due(2)) == 2);
  REQUIRE(x.state() == phase::failing);
  auto y = retiring();
  REQUIRE(count<m::end_task>(y.id_failed(2)) == 2);
  // A fresh id that comes too late is not wanted.
  REQUIRE_FALSE(y.awaits_id(2));
  REQUIRE(y.id_opened(2).empty());
}

// -- leaving

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

TEST_CASE("L3: a failure gives the lane up, once, and the next life follows",
          "[lane]") {
  auto x = published();
  REQUIRE(count<m::end_task>(x.fail()) == 2);
  REQUIRE(x.fail().empty());
  REQUIRE(x.committed(1, false).empty());
  REQUIRE(x.applied(0, 1).empty());
  REQUIRE(x.want_commit().empty());
  REQUIRE(x.gone(0).empty());
  auto closed = x.gone(1);
  REQUIRE(only<m::drop_id>(closed).id == 1);
  auto later = only<m::open_later>(closed);
  auto open = only<m::open_id>(x.open_due(later.id));
  // Transactions are numbered on, so that late answers are void.
  REQUIRE(only<m::begin>(x.id_opened(open.id)).number == 2);
}

TEST_CASE("H17: a task that leaves with a failure is let go of", "[lane]") {
  auto x = running();
  x.fail(m::fate{0, false, departure::park});
  x.gone(0);
  auto closed = x.gone(1);
  REQUIRE(only<m::let_go>(closed).partition == 0);
  REQUIRE(count<m::open_later>(closed) == 1);
}

TEST_CASE("L8: a task goes to a lane of its own with its claim", "[lane]") {
  auto x = running();
  x.fail(m::fate{0, false, departure::own_lane});
  x.gone(0);
  auto closed = x.gone(1);
  REQUIRE(only<m::hand_on>(closed).partition == 0);
  REQUIRE(count<m::let_go>(closed) == 0);
}

TEST_CASE("a task at fault comes back later, the others at once", "[lane]") {
  auto x = running();
  x.fail(m::fate{0, true});
  x.gone(0);
  auto later = only<m::open_later>(x.gone(1));
  auto open = only<m::open_id>(x.open_due(later.id));
  auto todo = x.id_opened(open.id);
  REQUIRE(only<m::bring_up_later>(todo).partition == 0);
  REQUIRE(only<m::bring_up>(todo).partition == 1);
}

TEST_CASE("H27: the lane goes on without a task that is not back", "[lane]") {
  auto x = running();
  x.want_commit();
  x.sealed(1, 1, false);
  REQUIRE(x.unsealed() == std::vector{0});
  REQUIRE(count<m::end_task>(x.stuck(0, {0, true})) == 2);
  auto later = only<m::open_later>(x.gone(1));
  auto open = only<m::open_id>(x.open_due(later.id));
  REQUIRE(only<m::bring_up>(x.id_opened(open.id)).partition == 1);
  // It returns.
  REQUIRE(only<m::bring_up_later>(x.gone(0)).partition == 0);
}

TEST_CASE("a task that ends by itself fails the lane", "[lane]") {
  auto x = running();
  REQUIRE(only<m::end_task>(x.gone(0)).partition == 1);
  REQUIRE(x.state() == phase::failing);
}

// -- the end

TEST_CASE("answers of another transaction are void", "[lane]") {
  auto x = running();
  x.want_commit();
  REQUIRE(x.sealed(0, 7, false).empty());
  REQUIRE(x.sealed(9, 1, false).empty());
  REQUIRE(x.committed(1, false).empty());
}

TEST_CASE("C2: drain seals a last time, and ends when all is let go",
          "[lane]") {
  auto x = running();
  auto seals = x.drain();
  REQUIRE(count<m::seal>(seals) == 2);
  for (auto& each : seals)
    REQUIRE(std::get<m::seal>(each).last);
  x.sealed(0, 1, false);
  x.sealed(1, 1, false);
  auto after = x.committed(1, false);
  REQUIRE(count<m::begun>(after) == 0);
  REQUIRE(only<m::end_task>(x.applied(0, 1)).clean);
  REQUIRE(only<m::end_task>(x.applied(1, 1)).clean);
  auto first = only<m::let_go>(x.gone(0));
  auto second = only<m::let_go>(x.gone(1));
  REQUIRE(x.let_gone(0, first.attempt).empty());
  REQUIRE(count<m::end>(x.let_gone(1, second.attempt)) == 1);
}

TEST_CASE("drain while a commit is on its way commits once more", "[lane]") {
  auto x = published();
  REQUIRE(x.drain().empty());
  REQUIRE(count<m::begin>(x.committed(1, false)) == 1);
  auto seals = x.applied(0, 1);
  REQUIRE(count<m::seal>(seals) == 2);
  REQUIRE(std::get<m::seal>(seals[0]).last);
}

TEST_CASE("drain of a lane without tasks ends at once", "[lane]") {
  auto x = opened();
  auto todo = x.drain();
  REQUIRE(only<m::drop_id>(todo).id == 1);
  only<m::end>(todo);
}

TEST_CASE("drop ends without commit and claims", "[lane]") {
  auto x = published();
  REQUIRE(count<m::end_task>(x.drop()) == 2);
  x.gone(0);
  auto todo = x.gone(1);
  REQUIRE(count<m::let_go>(todo) == 0);
  only<m::end>(todo);
}

TEST_CASE("drop gives up what is being let go", "[lane]") {
  auto x = running();
  x.drain();
  x.sealed(0, 1, true);
  x.sealed(1, 1, true);
  x.gone(0);
  only<m::let_go>(x.gone(1));
  auto todo = x.drop();
  REQUIRE(count<m::end_let_go>(todo) == 2);
  only<m::end>(todo);
}
