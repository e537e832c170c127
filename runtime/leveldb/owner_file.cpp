#include "runtime/leveldb/owner_file.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sstream>

#include <leveldb/env.h>

namespace weir {

namespace {

struct owner {
  std::int64_t pid = 0;
  std::uint64_t start = 0;
  std::string boot;
  std::string host;
};

/// "pid start boot host\n"
std::string encode(const owner& x) {
  return std::to_string(x.pid) + ' ' + std::to_string(x.start) + ' ' + x.boot +
         ' ' + x.host + '\n';
}

owner decode(const std::string& text) {
  owner x;
  std::istringstream in{text};
  in >> x.pid >> x.start >> x.boot >> x.host;
  return x;
}

/// "process 4711" where that process is known to live.
std::string name_of(const owner& x, outside_world& world) {
  if (x.pid == world.process_id() && x.boot == world.boot_id())
    return "this process (" + std::to_string(x.pid) + ")";
  if (x.boot != world.boot_id())
    return x.host.empty() || x.host == world.host_name()
               ? "another process"
               : "process " + std::to_string(x.pid) + " on host " + x.host;
  if (x.pid > 0 && x.start != 0 && world.process_start(x.pid) == x.start)
    return "process " + std::to_string(x.pid);
  return "another process";
}

/// Whether somebody holds the lock, and not a missing permission or the like
/// kept us from asking. Only LevelDB's texts tell: a lock refused is about
/// "lock <path>", a file that cannot be opened about "<path>". POSIX lets a
/// system refuse with either of the two numbers.
bool is_held(const leveldb::Status& why) {
  auto text = why.ToString();
  if (!why.IsIOError() || !text.starts_with("IO error: lock "))
    return false;
  return text.ends_with("already held by process") ||
         text.ends_with(std::strerror(EAGAIN)) ||
         text.ends_with(std::strerror(EACCES));
}

error locked_error(leveldb::Env& env, const std::string& directory,
                   const std::string& path, const leveldb::Status& why,
                   outside_world& world) {
  std::string text;
  leveldb::ReadFileToString(&env, path, &text);
  return {ec::locked, "the data directory '" + directory + "' is in use by " +
                          name_of(decode(text), world) +
                          "; stop it or use another directory (" +
                          why.ToString() + ")"};
}

} // namespace

result<std::unique_ptr<owner_file>>
owner_file::take(leveldb::Env& env, const std::string& directory,
                 outside_world& world) {
  auto path = directory + "/OWNER";
  leveldb::FileLock* lock = nullptr;
  auto status = env.LockFile(path + ".lock", &lock);
  if (is_held(status))
    return fail(locked_error(env, directory, path, status, world));
  if (!status.ok())
    return fail(ec::io_error,
                "cannot lock '" + path + ".lock': " + status.ToString());
  auto taken = std::make_unique<owner_file>(env, path, lock);
  owner self;
  self.pid = world.process_id();
  self.start = world.process_start(self.pid);
  self.boot = world.boot_id();
  self.host = world.host_name();
  // A reader must never see half of it.
  status = leveldb::WriteStringToFile(&env, encode(self), path + ".new");
  if (status.ok())
    status = env.RenameFile(path + ".new", path);
  if (!status.ok())
    return fail(ec::io_error,
                "cannot write '" + path + "': " + status.ToString());
  return taken;
}

owner_file::owner_file(leveldb::Env& env, std::string path,
                       leveldb::FileLock* lock)
    : env_(env), path_(std::move(path)), lock_(lock) {}

owner_file::~owner_file() {
  env_.RemoveFile(path_);
  env_.UnlockFile(lock_);
}

} // namespace weir
