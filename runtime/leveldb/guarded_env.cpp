#include "runtime/leveldb/guarded_env.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace weir::detail {

namespace {

bool is_log(std::string_view path) {
  return path.ends_with(".log");
}

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

/// Refuses to read past the end; what it reads is the base's, not a copy.
class table_file final : public leveldb::RandomAccessFile {
public:
  table_file(std::string path, std::uint64_t size,
             std::unique_ptr<leveldb::RandomAccessFile> base)
      : path_(std::move(path)), size_(size), base_(std::move(base)) {}

  leveldb::Status Read(std::uint64_t offset, std::size_t n, leveldb::Slice* out,
                       char* scratch) const override {
    if (n > size_ || offset > size_ - n) {
      *out = {};
      return leveldb::Status::Corruption(
          path_, fmt::format("the file is truncated to {} bytes", size_));
    }
    return base_->Read(offset, n, out, scratch);
  }

private:
  std::string path_;
  std::uint64_t size_;
  std::unique_ptr<leveldb::RandomAccessFile> base_;
};

} // namespace

class guarded_env::log_file : public leveldb::WritableFile {
public:
  log_file(guarded_env& owner, std::string directory,
           std::unique_ptr<leveldb::WritableFile> base)
      : owner_(owner), directory_(std::move(directory)),
        base_(std::move(base)) {
    std::lock_guard guard{owner_.mutex_};
    owner_.logs_[directory_] = this;
  }

  ~log_file() override {
    std::lock_guard guard{owner_.mutex_};
    auto i = owner_.logs_.find(directory_);
    if (i != owner_.logs_.end() && i->second == this)
      owner_.logs_.erase(i);
  }

  leveldb::Status Append(const leveldb::Slice& data) override {
    return base_->Append(data);
  }
  leveldb::Status Close() override { return base_->Close(); }
  leveldb::Status Flush() override { return base_->Flush(); }
  leveldb::Status Sync() override {
    if (auto status = owner_.sync_pending(directory_); !status.ok())
      return status;
    return base_->Sync();
  }

private:
  guarded_env& owner_;
  std::string directory_;
  std::unique_ptr<leveldb::WritableFile> base_;
};

leveldb::Status
guarded_env::NewRandomAccessFile(const std::string& path,
                                 leveldb::RandomAccessFile** out) {
  *out = nullptr;
  std::uint64_t size = 0;
  auto status = target()->GetFileSize(path, &size);
  // An empty file cannot be mapped.
  if (status.ok() && size == 0)
    return leveldb::Status::Corruption(path, "the file is empty");
  leveldb::RandomAccessFile* file = nullptr;
  if (status.ok())
    status = target()->NewRandomAccessFile(path, &file);
  if (status.IsNotFound())
    return leveldb::Status::Corruption(path, "the file is missing");
  if (status.ok())
    *out = new table_file(path, size,
                          std::unique_ptr<leveldb::RandomAccessFile>{file});
  return status;
}

leveldb::Status guarded_env::NewWritableFile(const std::string& path,
                                             leveldb::WritableFile** out) {
  *out = nullptr;
  if (!is_log(path))
    return target()->NewWritableFile(path, out);
  auto directory = directory_of(path);
  log_file* previous = nullptr;
  {
    std::lock_guard guard{mutex_};
    if (auto i = logs_.find(directory); i != logs_.end())
      previous = i->second;
  }
  // LevelDB still holds the previous log: it closes it when it has the new one.
  if (previous != nullptr)
    if (auto synced = previous->Sync(); !synced.ok())
      return synced;
  leveldb::WritableFile* file = nullptr;
  auto made = target()->NewWritableFile(path, &file);
  if (made.ok())
    *out = new log_file(*this, std::move(directory),
                        std::unique_ptr<leveldb::WritableFile>{file});
  return made;
}

leveldb::Status guarded_env::RenameFile(const std::string& from,
                                        const std::string& to) {
  auto status = target()->RenameFile(from, to);
  if (!status.ok() || !to.ends_with("/CURRENT"))
    return status;
  auto directory = directory_of(to);
  {
    std::lock_guard guard{mutex_};
    unsynced_.insert(directory);
  }
  // Its failure shows when a log is synced.
  sync_pending(directory);
  return status;
}

leveldb::Status guarded_env::sync_pending(const std::string& directory) {
  {
    std::lock_guard guard{mutex_};
    if (!unsynced_.contains(directory))
      return {};
  }
  auto status = sync_directory(directory);
  if (status.ok()) {
    std::lock_guard guard{mutex_};
    unsynced_.erase(directory);
  }
  return status;
}

} // namespace weir::detail
