#include "runtime/leveldb/environment.hpp"

#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <leveldb/cache.h>

#include "runtime/base/executor.hpp"
#include "runtime/leveldb/guarded_env.hpp"

namespace weir {

namespace {

class posix_env final : public detail::guarded_env {
public:
  explicit posix_env(int threads)
      : guarded_env(leveldb::Env::Default()),
        background_(make_thread_executor("weir-db", threads)) {}
  ~posix_env() override { background_->stop(); }

  leveldb::Status CreateDir(const std::string& path) override {
    if (::mkdir(path.c_str(), 0700) != 0)
      return leveldb::Status::IOError(path, std::strerror(errno));
    return {};
  }

  leveldb::Status sync_directory(const std::string& path) override {
    auto fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
      return leveldb::Status::IOError(path, std::strerror(errno));
    auto failed = ::fsync(fd) != 0;
    auto why = errno;
    ::close(fd);
    return failed ? leveldb::Status::IOError(path, std::strerror(why))
                  : leveldb::Status{};
  }

  /// One database has at most one piece of work at a time, so that more
  /// threads never run two for the same database.
  void Schedule(void (*function)(void*), void* argument) override {
    background_->post("compaction", [=] { function(argument); });
  }

private:
  std::unique_ptr<executor> background_;
};

class posix_environment final : public environment {
public:
  explicit posix_environment(const posix_environment_options& options)
      : cache_(leveldb::NewLRUCache(options.block_cache_bytes)),
        env_(options.threads) {}
  leveldb::Env& native() noexcept override { return env_; }
  void run_scheduled() override {}
  leveldb::Cache* block_cache() noexcept override { return cache_.get(); }

private:
  std::unique_ptr<leveldb::Cache> cache_;
  posix_env env_;
};

result<void> io_error(std::string_view what, const std::string& path,
                      const leveldb::Status& why) {
  return fail(ec::io_error,
              fmt::format("cannot {} '{}': {}", what, path, why.ToString()));
}

} // namespace

std::shared_ptr<environment>
make_posix_environment(posix_environment_options options) {
  return std::make_shared<posix_environment>(options);
}

result<void> make_directories(environment& files, const std::string& path) {
  auto& env = files.native();
  if (path.empty() || env.FileExists(path))
    return {};
  if (auto slash = path.rfind('/'); slash != std::string::npos && slash > 0)
    if (auto made = make_directories(files, path.substr(0, slash)); !made)
      return made;
  auto status = env.CreateDir(path);
  // Another thread or process may have been faster.
  if (!status.ok() && !env.FileExists(path))
    return io_error("create the directory", path, status);
  return {};
}

std::vector<std::string> names_in(environment& files, const std::string& path) {
  std::vector<std::string> names;
  files.native().GetChildren(path, &names);
  return names;
}

result<void> rename(environment& files, const std::string& from,
                    const std::string& to) {
  if (auto status = files.native().RenameFile(from, to); !status.ok())
    return io_error("rename", from, status);
  return {};
}

result<void> remove_directory(environment& files, const std::string& path) {
  auto& env = files.native();
  if (!env.FileExists(path))
    return {};
  std::vector<std::string> names;
  if (auto status = env.GetChildren(path, &names); !status.ok())
    return io_error("list", path, status);
  for (auto& name : names) {
    if (name == "." || name == "..")
      continue;
    auto file = path + '/' + name;
    if (auto status = env.RemoveFile(file); !status.ok())
      return io_error("remove", file, status);
  }
  if (auto status = env.RemoveDir(path); !status.ok())
    return io_error("remove the directory", path, status);
  return {};
}

} // namespace weir
