// Messages that pass through several rooms. All messages are local to a process
// and handled by const reference. A room's own are in its messages.hpp: what its
// actor is told, and what that reports to the one that spawned it.
#pragma once

#include "actors/base/caf.hpp"

namespace weir {

/// T_s passed. Also lane -> task.
struct sync_due {};
/// Nothing has been processed for a while: memory that was for speed is given
/// back. Also lane -> task.
struct release_memory {};
/// Member nodes came or went. Also node -> lane -> bring_up.
struct members_changed {};

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::sync_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::release_memory)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::members_changed)
