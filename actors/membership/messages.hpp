// Between membership and its node.
#pragma once

#include <memory>
#include <string>

#include "actors/base/caf.hpp"
#include "actors/base/node_context.hpp"

namespace weir {

// -- membership -> node

/// The node is a member: session open, job node agreed, member node created.
struct joined {
  std::shared_ptr<membership_info> info;
};
/// The session or the lease is over: drop everything, join again (design, 5).
struct session_lost {
  std::string reason;
};
/// Joining cannot succeed without the operator.
struct join_failed {
  error why;
};
/// The job's live settings changed (or were read for the first time).
struct live_settings {
  config_node settings;
};
/// Answer to `leave_job`: the member node is gone, the session closed.
struct left {};

// -- node -> membership

struct leave_job {};

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::joined)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::session_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::join_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::live_settings)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::left)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::leave_job)
