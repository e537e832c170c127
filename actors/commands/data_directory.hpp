// The data directory: whether a command may look in, and what a failed one
// leaves.
#pragma once

#include <string>
#include <vector>

#include "actors/commands/verbs.hpp"
#include "runtime/job/settings.hpp"

namespace weir {

/// For commands about what a job left behind: opening would create what a
/// mistyped name lacks. Errors: `not_found`, `io_error` naming the directory.
result<void> find_data(const settings& how, verb command);

/// The data directory, the log's and their parents, as far as they do not exist
/// yet.
class missing_directories {
public:
  explicit missing_directories(const settings& how);

  /// Removes those that exist by now and are empty: a command that failed
  /// before it did anything leaves nothing.
  void remove_empty() const;

private:
  /// From the innermost.
  std::vector<std::string> paths_;
};

} // namespace weir
