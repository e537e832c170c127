// From a bring-up to its lane.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "actors/base/caf.hpp"
#include "actors/failure/failure_policy.hpp"
#include "actors/failure/parked.hpp"

namespace weir {

struct restored_task;

struct brought_up {
  int partition;
  std::uint64_t attempt;
  std::shared_ptr<restored_task> restored;
};
struct bring_up_waits {
  int partition;
  std::uint64_t attempt;
  std::string reason;
  bool held_elsewhere = false;
  std::shared_ptr<const parked_node> parked = nullptr;
};
/// The claim is ours, the state comes back.
struct bring_up_restores {
  int partition;
  std::uint64_t attempt;
};
struct bring_up_failed {
  int partition;
  std::uint64_t attempt;
  failure_place where;
  error why;
  /// Where in an input, if it was there.
  std::optional<input_fault> fault;
};

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::brought_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::bring_up_waits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::bring_up_restores)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::bring_up_failed)
