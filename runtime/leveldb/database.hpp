// The one LevelDB directory of the embedded default. The log and the persistent
// nodes of the embedded coordination share it, so that one lock and one
// durability rule cover both. The bytes are described in docs/formats.md.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "weir/error.hpp"

namespace leveldb {
class Env;
class WriteBatch;
} // namespace leveldb

namespace weir {

/// First byte of every key: who owns it. Nobody writes under another's byte.
namespace key_space {
inline constexpr char database = 'd';
inline constexpr char streams = 's';
inline constexpr char coordination = 'z';
} // namespace key_space

struct embedded_options {
  /// Created with its missing parents, mode 0700.
  std::string directory;
  /// Where the files live; null = the real file system. Must outlive the
  /// database.
  leveldb::Env* env = nullptr;
  /// Memory of the table that collects writes. 16 MiB: few level-0 files under
  /// a load of hundreds of thousands of records a second.
  std::size_t write_buffer_bytes = 16u << 20;
  /// Cache of blocks for single gets; scans do not fill it.
  std::size_t block_cache_bytes = 8u << 20;
  /// For an Env without threads: called after every call into LevelDB and
  /// before its close, in the calling thread, to run the work that the Env's
  /// `Schedule` queued. Must not call the database.
  std::function<void()> run_background;
};

/// Changes that are written together or not at all.
class embedded_batch {
public:
  embedded_batch();
  embedded_batch(embedded_batch&&) noexcept;
  embedded_batch& operator=(embedded_batch&&) noexcept;
  ~embedded_batch();

  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  void clear();
  bool empty() const noexcept { return changes_ == 0; }
  std::size_t changes() const noexcept { return changes_; }

private:
  friend class embedded_database;
  std::unique_ptr<leveldb::WriteBatch> rep_;
  std::size_t changes_ = 0;
};

/// An ordered map of bytes; shared by the log and the coordination, the last
/// owner closes it. Thread-safe; every function may wait for the disk.
///
/// After a crash, of the process or the machine: every write that was answered
/// with success is there, and each write is there whole or not at all.
///
/// A failed write closes the database for good, because LevelDB 1.23 can lose
/// *later* acknowledged writes after a failed append (google/leveldb, `Write`
/// poisons the log on a failed sync only). Every later call then answers
/// `closed` and names the first cause. No snapshot is taken and no iterator
/// lives across a write: Debian's 1.23 lacks upstream's fix 13e3c4e, without
/// which old values can come back.
class embedded_database {
public:
  struct parts;

  explicit embedded_database(std::unique_ptr<parts> x);
  embedded_database(const embedded_database&) = delete;
  embedded_database& operator=(const embedded_database&) = delete;
  ~embedded_database();

  const std::string& directory() const noexcept;

  /// False if there is no such key. Errors: `corruption`, `io_error`, `closed`.
  result<bool> get(std::string_view key, std::string& value);

  /// Writes all changes atomically and synced. An empty batch does nothing.
  /// Errors: `io_error` (and the database is closed from then on), `closed`.
  result<void> write(const embedded_batch& changes);

  using visitor =
      std::function<bool(std::string_view key, std::string_view value)>;

  /// Visits [from, to) in key order until `visit` answers false; an empty `to`
  /// means no upper bound. `visit` must not call this database.
  /// Errors: `corruption`, `io_error`, `closed`.
  result<void> scan(std::string_view from, std::string_view to,
                    const visitor& visit);
  result<void> scan_prefix(std::string_view prefix, const visitor& visit);

private:
  std::unique_ptr<parts> parts_;
};

/// Opens or creates the database; one process per directory.
/// Errors: `locked` naming the process that has it, `bad_format` (a newer
/// format), `corruption`, `io_error`.
result<std::shared_ptr<embedded_database>>
open_embedded(const embedded_options& options, outside_world& world);

/// `corruption` of the embedded data: `what`, and what a person can do about
/// it.
error embedded_damage(std::string what);

/// The first key after every key that starts with `prefix`; empty if there is
/// none.
std::string prefix_end(std::string_view prefix);

/// "1.23"
std::string leveldb_version();

} // namespace weir
