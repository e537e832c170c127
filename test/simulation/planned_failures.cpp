#include "test/simulation/planned_failures.hpp"

#include <algorithm>

namespace weir::sim {

failure_place place_of(node_call at) noexcept {
  switch (at) {
  case node_call::read_claim:
  case node_call::write_claim:
  case node_call::fence:
  case node_call::changelog_end:
    return failure_place::claim;
  case node_call::read_changelog:
    return failure_place::restore;
  case node_call::read_input:
    return failure_place::input;
  case node_call::open_producer:
    return failure_place::open_id;
  case node_call::begin:
  case node_call::send:
  case node_call::commit:
    return failure_place::transaction;
  case node_call::read_store:
    return failure_place::apply;
  case node_call::user_code:
    break;
  }
  return failure_place::user_code;
}

std::optional<error> planned_failures::hit(node_call at) {
  auto due = std::find_if(all_.begin(), all_.end(), [&](auto& each) {
    return each.at == at && each.times > 0 && each.from_life <= life_;
  });
  if (due == all_.end())
    return std::nullopt;
  --due->times;
  error why{due->what, "simulated: planned"};
  // The fencer tries again, whatever it hears.
  if (at == node_call::fence)
    return why;
  auto todo = react(place_of(at), why.code());
  using enum reaction;
  parks_ |= todo == park || todo == lane_park || todo == leave_park;
  stops_node_ |= todo == node || todo == impossible;
  return why;
}

} // namespace weir::sim
