// Where the C client calls us for sessions and watches.
#pragma once

#include <zookeeper/zookeeper.h>

#include "runtime/zookeeper/client.hpp"

namespace weir::zk {

/// The context of the handle is the `client`, that of a node's watch a `watch`,
/// which is not touched before it was found to be registered still.
struct trampoline {
  static client& self(zhandle_t* handle) {
    return *static_cast<client*>(const_cast<void*>(zoo_get_context(handle)));
  }

  static void session(zhandle_t* handle, int type, int state, const char*,
                      void*) noexcept {
    if (type == ZOO_SESSION_EVENT)
      self(handle).session_changed(handle, state);
  }

  /// Session events are shown to every watcher and do not consume it.
  static void node(zhandle_t* handle, int type, int, const char*,
                   void* context) noexcept {
    if (type != ZOO_SESSION_EVENT)
      self(handle).fired(static_cast<watch*>(context));
  }
};

} // namespace weir::zk
