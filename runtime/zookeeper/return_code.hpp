// What the C client's return codes mean for weir.
#pragma once

#include <string>

#include "weir/error.hpp"

namespace weir::zk {

/// Whether the code came from a server, which proves that the session was alive
/// when the request was sent (rule C7).
bool came_from_server(int code) noexcept;

/// The error of a failed request. @pre `code` is not ZOK.
error to_error(int code, bool is_write, const std::string& path);

} // namespace weir::zk
