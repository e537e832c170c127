// How a lane's lives and ids follow each other and end, event by event (rules
// H12, H17, L3, L4, L8).
#include "test/unit/actors/lane/lane_machine_rig.hpp"

using namespace weir::test;

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
