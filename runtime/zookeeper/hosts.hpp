// The connection text "host:port,host:port/chroot", taken apart.
#pragma once

#include <string>

#include "weir/error.hpp"

namespace weir::zk {

struct endpoints {
  /// "host:port,host:port"
  std::string hosts;
  /// "/a/b", or empty. weir puts it before every path itself: then the session
  /// that needs the chroot is also the one that creates it.
  std::string chroot;
};

/// Errors: `bad_argument`.
result<endpoints> parse_endpoints(const std::string& text);

} // namespace weir::zk
