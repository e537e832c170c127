// Who has a data directory open.
#pragma once

#include <memory>
#include <string>

#include "runtime/base/clock.hpp"
#include "weir/error.hpp"

namespace leveldb {
class Env;
class FileLock;
} // namespace leveldb

namespace weir {

/// The lock of a data directory, and a small file beside it that names the
/// process that holds it. The lock is the operating system's: it goes with the
/// process, however that ends. The file is only for people (and may be stale).
class owner_file {
public:
  /// Errors: `locked` naming the other process, `io_error` (also where the
  /// lock's file cannot be opened).
  static result<std::unique_ptr<owner_file>>
  take(leveldb::Env& env, const std::string& directory, outside_world& world);

  owner_file(leveldb::Env& env, std::string path, leveldb::FileLock* lock);
  owner_file(const owner_file&) = delete;
  owner_file& operator=(const owner_file&) = delete;
  /// Removes the file and gives the lock back.
  ~owner_file();

private:
  leveldb::Env& env_;
  std::string path_;
  leveldb::FileLock* lock_;
};

} // namespace weir
