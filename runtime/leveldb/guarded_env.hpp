// Closes four holes in LevelDB 1.23. Internal to stores.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include <leveldb/env.h>

namespace weir::detail {

/// Thread-safe; the log of one directory belongs to one thread at a time.
///
/// 1. It syncs the log of a directory before the next log of that directory is
///    made. Without that a write with sync covers only the newest log, and
///    after a power loss earlier writes can be missing below later ones
///    (google/leveldb#193).
/// 2. It syncs the directory after CURRENT was renamed into place. Without that
///    a power loss can bring back the old MANIFEST, which names a log of the
///    life before: that log was read into a synced table and never synced
///    itself, so that its tail may be missing below synced writes of later
///    logs. Where that sync fails, the next sync of a log in the directory
///    tries again: LevelDB removes the new MANIFEST when the rename fails,
///    which must not happen behind a rename that took place.
/// 3. A table that cannot be found is reported as corruption. LevelDB hands the
///    file system's "not found" to its caller, for whom it means that the *key*
///    does not exist.
/// 4. So is a read past the end of a table, which no whole table asks for: the
///    file was cut. LevelDB's reader answers it with "invalid argument", which
///    looks like a fault of the system that may pass.
class guarded_env : public leveldb::EnvWrapper {
public:
  using EnvWrapper::EnvWrapper;

  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** out) override;

  leveldb::Status NewWritableFile(const std::string& path,
                                  leveldb::WritableFile** out) override;

  leveldb::Status RenameFile(const std::string& from,
                             const std::string& to) override;

protected:
  /// Makes what was done to the names in a directory durable.
  virtual leveldb::Status sync_directory(const std::string& path) = 0;

private:
  class log_file;

  leveldb::Status sync_pending(const std::string& directory);

  std::mutex mutex_;
  /// Open logs by directory.
  std::map<std::string, log_file*> logs_;
  /// Directories whose CURRENT may not be durable.
  std::set<std::string> unsynced_;
};

} // namespace weir::detail
