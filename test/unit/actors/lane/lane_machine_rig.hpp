// Lanes in the states that tests begin with, and what they are told to do.
#pragma once

#include <stdexcept>

#include <catch2/catch.hpp>

#include "actors/lane/lane_machine.hpp"

namespace weir::test {

using phase = lane_machine::phase;
using departure = lane_machine::departure;

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
inline lane_machine::actions join(lane_machine& x, int partition,
                           std::uint64_t attempt = 1,
                           bool first_commit = false) {
  REQUIRE(x.is_current(partition, attempt));
  return x.joined(partition, attempt, first_commit);
}

/// Open, with id 1 and without tasks.
inline lane_machine opened(int tasks = 0) {
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
inline lane_machine running() {
  auto x = opened(2);
  only<m::begun>(join(x, 0));
  only<m::begun>(join(x, 1));
  return x;
}

/// The same, committed up to the answer of transaction 1; task 1 was empty.
inline lane_machine published() {
  auto x = running();
  REQUIRE(count<m::seal>(x.want_commit()) == 2);
  x.sealed(0, 1, false);
  REQUIRE(only<m::commit>(x.sealed(1, 1, true)).number == 1);
  return x;
}

/// The same, with doubt: task 0 applies, id 2 is on its way.
inline lane_machine retiring() {
  auto x = published();
  auto todo = x.committed(1, true);
  REQUIRE(only<m::apply>(todo).partition == 0);
  REQUIRE(only<m::open_id>(todo).id == 2);
  REQUIRE(count<m::begin>(todo) == 0);
  REQUIRE(x.state() == phase::retiring);
  return x;
}

} // namespace weir::test
