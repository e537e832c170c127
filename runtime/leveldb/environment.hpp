// Where a node's databases live: the real file system, or one in memory with
// crashes and faults (file_env.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "weir/error.hpp"

namespace leveldb {
class Cache;
class Env;
} // namespace leveldb

namespace weir {

/// Owned by the node, shared by its databases. Thread-safe, except for an
/// environment in memory: one thread.
class environment {
public:
  virtual ~environment() = default;
  /// For LevelDB and for what else touches files.
  virtual leveldb::Env& native() noexcept = 0;
  /// Runs what `Schedule` queued, in the calling thread, until nothing is left.
  /// After every call into a database and before its close. Does nothing where
  /// background work has threads of its own.
  virtual void run_scheduled() = 0;
  /// Blocks of tables in memory, for all databases that live here; null = each
  /// has its own. Lives as long as this.
  virtual leveldb::Cache* block_cache() noexcept { return nullptr; }
};

struct posix_environment_options {
  /// Threads of background work, for all databases. LevelDB's own Env has one,
  /// behind which the flush of one task waits for the compaction of another.
  int threads = 2;
  /// One cache for all databases: LevelDB's own 8 MiB for each would be 4 GB
  /// with 500 of them.
  std::size_t block_cache_bytes = 32u << 20;
};

/// The real file system. Directories are made with mode 0700. A log of LevelDB
/// is synced before the next one of its directory is begun, and the directory
/// after CURRENT was replaced, so that a synced write covers the writes before
/// it (google/leveldb#193).
std::shared_ptr<environment>
make_posix_environment(posix_environment_options options = {});

/// Creates `path` and its missing parents. Errors: `io_error`.
result<void> make_directories(environment& files, const std::string& path);
/// What is in a directory, in no order; nothing where it cannot be read.
std::vector<std::string> names_in(environment& files, const std::string& path);
/// Renames a file or directory. Errors: `io_error`.
result<void> rename(environment& files, const std::string& from,
                    const std::string& to);
/// Removes a directory and the files in it; not an error if there is none.
/// @pre it has no sub-directory. Errors: `io_error`.
result<void> remove_directory(environment& files, const std::string& path);

} // namespace weir
