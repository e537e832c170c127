// A task's committed bytes in one LevelDB 1.23 directory.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "runtime/leveldb/backend.hpp"
#include "runtime/leveldb/environment.hpp"

namespace weir {

struct leveldb_options {
  /// Also has the blocks of tables that are kept in memory.
  std::shared_ptr<environment> files;
  /// Memory of the table that collects writes; up to two exist. LevelDB fixes
  /// it at the open, and raises it to 64 KiB. Less makes more and smaller
  /// level-0 files, more makes a reopen longer.
  std::size_t write_buffer_bytes = 4u << 20;
  /// Size of a table file: fewer files than LevelDB's 2 MiB.
  std::size_t table_bytes = 8u << 20;
  /// Bits a key of the bloom filter; 10 = 1 % of the misses read a block.
  int bloom_bits = 10;
};

/// Owned by its task's database, used by one thread at a time (the task's
/// actor; before that the thread that restores).
///
/// After a crash of the process every write is there, whole or not at all, in
/// order. After a crash of the machine only what was synced is sure, and the
/// rest may have holes: task_database.hpp has the rules for trusting it.
///
/// A failed write closes the database: LevelDB can lose later acknowledged
/// writes after a failed append. No iterator or snapshot outlives a call:
/// Debian's 1.23 lacks upstream's fix 13e3c4e, without which old values can
/// come back. A damaged directory is never repaired: `RepairDB` can bring
/// deleted keys back.
class leveldb_backend : public backend {
public:
  /// Opens or creates. Errors: `damaged` (also for a directory that lacks
  /// files), `io_error` (disk full, no permission, locked).
  static result<std::unique_ptr<leveldb_backend>>
  open(const std::string& directory, leveldb_options options);

  leveldb_backend(const leveldb_backend&) = delete;
  leveldb_backend& operator=(const leveldb_backend&) = delete;
  ~leveldb_backend() override;

  result<bool> get(std::string_view key, std::string& value) override;
  result<void> write(const change_batch& changes, bool sync) override;
  result<void>
  scan(std::string_view from, std::string_view to,
       const std::function<bool(std::string_view key, std::string_view value)>&
           visit) override;

private:
  struct parts;
  explicit leveldb_backend(std::unique_ptr<parts> x);
  std::unique_ptr<parts> parts_;
};

} // namespace weir
