// Closes two holes in LevelDB 1.23. Internal to stores.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include <leveldb/env.h>

namespace weir::detail {

/// Thread-safe; the log of one directory belongs to one thread at a time.
///
/// 1. It syncs the log of a directory before the next log of that directory is
///    made. Without that a write with sync covers only the newest log, and
///    after a power loss earlier writes can be missing below later ones
///    (google/leveldb#193).
/// 2. A table that cannot be found is reported as corruption. LevelDB hands the
///    file system's "not found" to its caller, for whom it means that the *key*
///    does not exist.
class guarded_env : public leveldb::EnvWrapper {
public:
  explicit guarded_env(leveldb::Env* base) : EnvWrapper(base) {}

  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** out) override;

  leveldb::Status NewWritableFile(const std::string& path,
                                  leveldb::WritableFile** out) override;

private:
  class log_file;

  std::mutex mutex_;
  /// Open logs by directory.
  std::map<std::string, log_file*> logs_;
};

} // namespace weir::detail
