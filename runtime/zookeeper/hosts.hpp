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

/// [blocking] Looks up each host of "host:port,host:port": the client says only
/// that it could not. Errors: `disconnected` naming the first without an
/// address.
result<void> check_resolvable(const std::string& hosts);

} // namespace weir::zk
