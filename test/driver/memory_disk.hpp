// The model of a disk behind file_env: what a file system keeps and when.
// Internal to stores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <leveldb/status.h>

#include "test/driver/file_env.hpp"

namespace weir::detail {

/// A file's bytes, apart from its names.
struct inode {
  std::string bytes;
  /// So many of them survive a power failure.
  std::size_t synced = 0;
  /// Number of the last directory operation that gave it a name.
  std::uint64_t named = 0;
};
using inode_ptr = std::shared_ptr<inode>;

/// Names of files and directories.
struct name_space {
  std::map<std::string, inode_ptr> files;
  std::set<std::string> directories;

  bool has_parent(const std::string& path) const;
  /// Whether a directory has neither files nor directories.
  bool is_empty(const std::string& path) const;
  void rename(const std::string& from, const std::string& to);
};

/// One disk; one thread. Invariant: `durable` with the operations of `journal`
/// applied in order is `live`.
class memory_disk {
public:
  using status = leveldb::Status;

  // -- one operation of a life

  /// Counts an operation and lets it meet its fault. An engaged answer means:
  /// it fails like this, after `half` of it happened.
  status begin(std::uint64_t life, std::string_view what,
               const std::string& path, bool needs_space, bool& half);
  bool dead(std::uint64_t life) const noexcept {
    return crashed || life != present;
  }

  inode_ptr find(const std::string& path) const;
  inode_ptr create(const std::string& path);
  void rename(const std::string& from, const std::string& to);
  void remove(const std::string& path);
  void make_directory(const std::string& path);
  void remove_directory(const std::string& path);
  /// Makes the file's bytes durable, and its name with all that was done to
  /// names before.
  void sync(inode& file);
  /// Makes all that was done to names durable.
  void sync_names();

  // -- crashes

  void next_life();
  void lose_power(const std::function<std::uint64_t()>& random);

  name_space live;
  std::set<std::string> locks;
  std::uint64_t present = 1;
  std::uint64_t boot = 1;
  std::uint64_t operations = 0;
  std::uint64_t fault_at = 0;
  file_fault fault = file_fault::crash;
  bool crashed = false;
  bool full = false;
  /// What can be written all the same, in bytes.
  std::size_t room = 0;
  std::function<void(std::string_view)> trace;
  std::function<std::uint64_t()> now_us;

private:
  using change = std::function<void(name_space&)>;

  /// Does `x` to the live names and notes it in the journal.
  void change_names(change x);
  void harden(std::uint64_t up_to);

  name_space durable_;
  std::deque<change> journal_;
  /// Number of the last operation of the journal, and of the last that is
  /// durable.
  std::uint64_t done_ = 0;
  std::uint64_t hardened_ = 0;
};

} // namespace weir::detail
