#include "test/driver/memory_env.hpp"

#include <algorithm>
#include <cstring>

namespace weir::detail {

namespace {

using leveldb::Slice;
using leveldb::Status;

/// Both kinds of reading; copies, because a later write may move the bytes.
Status read_at(const view& from, const inode_ptr& file, const std::string& path,
               std::uint64_t offset, std::size_t n, Slice* out, char* scratch) {
  *out = Slice{};
  if (auto status = from.begin("read", path); !status.ok())
    return status;
  if (offset >= file->bytes.size())
    return {};
  n = std::min<std::size_t>(n, file->bytes.size() - offset);
  std::memcpy(scratch, file->bytes.data() + offset, n);
  *out = Slice{scratch, n};
  return {};
}

class sequential_file final : public leveldb::SequentialFile {
public:
  sequential_file(view from, std::string path, inode_ptr file)
      : from_(std::move(from)), path_(std::move(path)), file_(std::move(file)) {
  }

  Status Read(std::size_t n, Slice* out, char* scratch) override {
    auto status = read_at(from_, file_, path_, at_, n, out, scratch);
    at_ += out->size();
    return status;
  }
  Status Skip(std::uint64_t n) override {
    at_ = std::min<std::uint64_t>(at_ + n, file_->bytes.size());
    return {};
  }

private:
  view from_;
  std::string path_;
  inode_ptr file_;
  std::uint64_t at_ = 0;
};

class random_access_file final : public leveldb::RandomAccessFile {
public:
  random_access_file(view from, std::string path, inode_ptr file)
      : from_(std::move(from)), path_(std::move(path)), file_(std::move(file)) {
  }

  Status Read(std::uint64_t offset, std::size_t n, Slice* out,
              char* scratch) const override {
    return read_at(from_, file_, path_, offset, n, out, scratch);
  }

private:
  view from_;
  std::string path_;
  inode_ptr file_;
};

/// Buffers like LevelDB's own: what was not flushed dies with the process.
class writable_file final : public leveldb::WritableFile {
public:
  writable_file(view to, std::string path, inode_ptr file)
      : to_(std::move(to)), path_(std::move(path)), file_(std::move(file)) {}
  ~writable_file() override { Flush(); }

  Status Append(const Slice& data) override {
    buffer_.append(data.data(), data.size());
    return {};
  }
  Status Close() override { return Flush(); }
  Status Flush() override {
    if (buffer_.empty())
      return {};
    auto data = std::exchange(buffer_, {});
    bool half;
    auto status = to_.disk->begin(to_.life, "append", path_,
                                  data.size() > to_.disk->room, half);
    if (status.ok())
      file_->bytes += data;
    else if (half)
      file_->bytes.append(data, 0, data.size() / 2);
    return status;
  }
  Status Sync() override {
    if (auto flushed = Flush(); !flushed.ok())
      return flushed;
    if (auto status = to_.begin("sync", path_); !status.ok())
      return status;
    auto name = path_.substr(path_.rfind('/') + 1);
    if (name.starts_with("MANIFEST"))
      to_.disk->sync_names();
    to_.disk->sync(*file_);
    return {};
  }

private:
  view to_;
  std::string path_;
  inode_ptr file_;
  std::string buffer_;
};

struct silent_logger final : leveldb::Logger {
  void Logv(const char*, std::va_list) override {}
};

struct file_lock final : leveldb::FileLock {
  explicit file_lock(std::string path) : path(std::move(path)) {}
  std::string path;
};

} // namespace

template <class File, class Interface>
Status memory_env::open(const std::string& path, Interface** out) {
  *out = nullptr;
  if (auto status = on_.begin("open", path); !status.ok())
    return status;
  auto file = disk().find(path);
  if (!file)
    return Status::NotFound(path, "no such file");
  *out = new File(on_, path, std::move(file));
  return {};
}

// -- opening

Status memory_env::NewSequentialFile(const std::string& path,
                                     leveldb::SequentialFile** out) {
  return open<sequential_file>(path, out);
}

Status memory_env::NewRandomAccessFile(const std::string& path,
                                       leveldb::RandomAccessFile** out) {
  return open<random_access_file>(path, out);
}

Status memory_env::NewWritableFile(const std::string& path,
                                   leveldb::WritableFile** out) {
  *out = nullptr;
  if (auto status = on_.begin("create", path, true); !status.ok())
    return status;
  if (!disk().live.has_parent(path))
    return Status::NotFound(path, "no such directory");
  *out = new writable_file(on_, path, disk().create(path));
  return {};
}

Status memory_env::NewAppendableFile(const std::string& path,
                                     leveldb::WritableFile** out) {
  auto file = disk().find(path);
  if (!file)
    return NewWritableFile(path, out);
  *out = nullptr;
  if (auto status = on_.begin("open", path); !status.ok())
    return status;
  *out = new writable_file(on_, path, std::move(file));
  return {};
}

// -- names

bool memory_env::FileExists(const std::string& path) {
  return !disk().dead(on_.life) &&
         (disk().find(path) || disk().live.directories.contains(path));
}

Status memory_env::RemoveFile(const std::string& path) {
  if (auto status = on_.begin("remove", path); !status.ok())
    return status;
  if (!disk().find(path))
    return Status::NotFound(path, "no such file");
  disk().remove(path);
  return {};
}

Status memory_env::CreateDir(const std::string& path) {
  if (auto status = on_.begin("mkdir", path, true); !status.ok())
    return status;
  if (FileExists(path))
    return Status::IOError(path, "File exists");
  if (!disk().live.has_parent(path))
    return Status::NotFound(path, "no such directory");
  disk().make_directory(path);
  return {};
}

Status memory_env::RemoveDir(const std::string& path) {
  if (auto status = on_.begin("rmdir", path); !status.ok())
    return status;
  if (!disk().live.directories.contains(path))
    return Status::NotFound(path, "no such directory");
  if (!disk().live.is_empty(path))
    return Status::IOError(path, "Directory not empty");
  disk().remove_directory(path);
  return {};
}

Status memory_env::GetFileSize(const std::string& path, std::uint64_t* out) {
  *out = 0;
  if (auto status = on_.begin("size", path); !status.ok())
    return status;
  auto file = disk().find(path);
  if (!file)
    return Status::NotFound(path, "no such file");
  *out = file->bytes.size();
  return {};
}

Status memory_env::RenameFile(const std::string& from, const std::string& to) {
  if (auto status = on_.begin("rename", from, true); !status.ok())
    return status;
  if (!FileExists(from))
    return Status::NotFound(from, "no such file");
  if (disk().live.directories.contains(to))
    return Status::IOError(to, "Directory exists");
  disk().rename(from, to);
  return {};
}

Status memory_env::sync_directory(const std::string& path) {
  if (auto status = on_.begin("sync", path); !status.ok())
    return status;
  disk().sync_names();
  return {};
}

// -- locks: of the process, gone with it

Status memory_env::LockFile(const std::string& path, leveldb::FileLock** out) {
  *out = nullptr;
  if (auto status = on_.begin("lock", path); !status.ok())
    return status;
  if (!disk().locks.insert(path).second)
    return Status::IOError("lock " + path, "already held by process");
  if (!disk().find(path))
    disk().create(path);
  *out = new file_lock{path};
  return {};
}

Status memory_env::UnlockFile(leveldb::FileLock* lock) {
  std::unique_ptr<file_lock> held{static_cast<file_lock*>(lock)};
  if (disk().dead(on_.life))
    return Status::IOError(held->path, "the process is dead");
  disk().locks.erase(held->path);
  return {};
}

// -- work and time

void memory_env::Schedule(void (*function)(void*), void* argument) {
  queue_.emplace_back(function, argument);
}

void memory_env::run_scheduled() {
  while (!queue_.empty()) {
    auto [function, argument] = queue_.front();
    queue_.pop_front();
    function(argument);
  }
}

void memory_env::StartThread(void (*function)(void*), void* argument) {
  function(argument);
}

Status memory_env::GetTestDirectory(std::string* out) {
  *out = "/test";
  return {};
}

Status memory_env::NewLogger(const std::string&, leveldb::Logger** out) {
  *out = new silent_logger;
  return {};
}

std::uint64_t memory_env::NowMicros() {
  return disk().now_us ? disk().now_us() : 0;
}

Status memory_env::GetChildren(const std::string& path,
                               std::vector<std::string>* out) {
  out->clear();
  if (auto status = on_.begin("list", path); !status.ok())
    return status;
  if (!disk().live.directories.contains(path))
    return Status::NotFound(path, "no such directory");
  auto below = path + '/';
  auto add = [&](const std::string& name) {
    if (name.starts_with(below) &&
        name.find('/', below.size()) == std::string::npos)
      out->push_back(name.substr(below.size()));
  };
  for (auto& [name, file] : disk().live.files)
    add(name);
  for (auto& name : disk().live.directories)
    add(name);
  return {};
}

} // namespace weir::detail
