// The embedded log and coordination of a directory: one for a process.
#pragma once

#include <memory>
#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/embedded/coordination/coordination.hpp"
#include "runtime/leveldb/environment.hpp"
#include "runtime/stream/stream.hpp"

namespace weir {

/// Several nodes and clients of a process may work in one directory, which only
/// one database may have open: they share it, and the last one closes it.
/// Thread-safe.
class shared_embedded {
public:
  /// [blocking] That of the directory, opened if nobody in this process has it.
  /// Errors: `locked` naming the process that has it, `corruption`, `io_error`.
  static result<std::shared_ptr<shared_embedded>>
  open(const std::string& directory, std::shared_ptr<outside_world> world);

  environment* files() const noexcept { return files_.get(); }
  stream_system* streams() const noexcept { return streams_.get(); }
  coordination_service* coordination() const noexcept {
    return coordination_.get();
  }

private:
  result<void> open_parts(const std::string& directory,
                          std::shared_ptr<outside_world> world);

  std::shared_ptr<environment> files_;
  std::shared_ptr<stream_system> streams_;
  std::shared_ptr<coordination_service> coordination_;
};

} // namespace weir
