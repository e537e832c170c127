// Whether there is room on a disk for what did not fit before.
#pragma once

#include <cstddef>
#include <string>

#include "runtime/leveldb/environment.hpp"
#include "weir/error.hpp"

namespace weir {

/// Writes and syncs a file of `bytes` in `directory` and removes it again: the
/// only question that quotas, reserved blocks and thin volumes answer truly.
/// [blocking] Errors: `io_error`, naming directory and size. A crash leaves
/// "<directory>/room.probe", which the next call replaces.
result<void> check_room(environment& files, const std::string& directory,
                        std::size_t bytes);

} // namespace weir
