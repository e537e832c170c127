// LevelDB's view of a memory_disk. Internal to stores.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <leveldb/env.h>

#include "test/driver/memory_disk.hpp"

namespace weir::detail {

/// A disk as one life sees it.
struct view {
  std::shared_ptr<memory_disk> disk;
  std::uint64_t life;

  /// An operation without partial effect.
  leveldb::Status begin(std::string_view what, const std::string& path,
                        bool needs_space = false) const {
    bool half;
    return disk->begin(life, what, path, needs_space && disk->room == 0, half);
  }
};

/// The Env of one life: its handles outlive the life, but do nothing then.
class memory_env final : public leveldb::Env {
public:
  using status = leveldb::Status;

  explicit memory_env(view on) : on_(std::move(on)) {}

  status NewSequentialFile(const std::string& path,
                           leveldb::SequentialFile** out) override;
  status NewRandomAccessFile(const std::string& path,
                             leveldb::RandomAccessFile** out) override;
  status NewWritableFile(const std::string& path,
                         leveldb::WritableFile** out) override;
  status NewAppendableFile(const std::string& path,
                           leveldb::WritableFile** out) override;

  bool FileExists(const std::string& path) override;
  status GetChildren(const std::string& path,
                     std::vector<std::string>* out) override;
  status RemoveFile(const std::string& path) override;
  status CreateDir(const std::string& path) override;
  status RemoveDir(const std::string& path) override;
  status GetFileSize(const std::string& path, std::uint64_t* out) override;
  status RenameFile(const std::string& from, const std::string& to) override;

  /// Not part of LevelDB's interface.
  status sync_directory(const std::string& path);

  status LockFile(const std::string& path, leveldb::FileLock** out) override;
  status UnlockFile(leveldb::FileLock* lock) override;

  void Schedule(void (*function)(void*), void* argument) override;
  void run_scheduled();
  /// LevelDB never starts a thread this way.
  void StartThread(void (*function)(void*), void* argument) override;
  status GetTestDirectory(std::string* out) override;
  status NewLogger(const std::string& path, leveldb::Logger** out) override;
  std::uint64_t NowMicros() override;
  void SleepForMicroseconds(int) override {}

private:
  memory_disk& disk() { return *on_.disk; }

  template <class File, class Interface>
  status open(const std::string& path, Interface** out);

  view on_;
  std::deque<std::pair<void (*)(void*), void*>> queue_;
};

} // namespace weir::detail
