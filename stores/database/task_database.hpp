// One task's database directory: lock, trust, set aside, clean close.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/leveldb/leveldb_backend.hpp"
#include "stores/database/metadata.hpp"
#include "weir/error.hpp"

namespace weir {

class owner_file;

struct task_database_options {
  /// `<data>/<job>/<partition>`: the database is in its `db`. Created with its
  /// parents.
  std::string directory;
  /// Of the job.
  std::string generation;
  /// `delete.retention.ms` of the changelog: a store older than half of it may
  /// have missed the removal of a tombstone (R9).
  std::chrono::milliseconds delete_retention = std::chrono::hours{7 * 24};
  leveldb_options database;
};

/// What the facts allow.
enum class database_verdict {
  /// No commit was ever applied: restore from the changelog's beginning.
  empty,
  /// At a commit: restore the tail from its position.
  usable,
  /// An unfinished restore (R6): go on with it, or rebuild.
  unfinished,
  /// The machine went down while it was in use: LevelDB does not sync an old
  /// log, so that there may be holes. Rebuild (there are no snapshots yet).
  untrusted,
  /// Older than half of the changelog's delete retention (R9). Rebuild.
  too_old,
};

std::string_view to_string(database_verdict x) noexcept;

/// Owned by the task (before that by the thread that restores it); one thread
/// at a time; every function may wait for the disk.
///
///   open ──> use() ───────┐
///     └────> rebuild() ───┴─> restore, apply … ──> close()
///
/// After a crash of the process the next `open` finds the last commit applied.
/// After a crash of the machine it finds that it cannot trust the database,
/// unless that had been closed cleanly.
class task_database {
public:
  /// Takes the directory's lock, opens the database and judges it. A damaged
  /// one is renamed to `db.corrupt-<n>`, with a log event, and an empty one
  /// opened: never repaired.
  /// Errors: `locked` naming the other process, `corruption` naming both
  /// generations where the database is of another one, `io_error`.
  static result<std::unique_ptr<task_database>>
  open(task_database_options options, std::shared_ptr<outside_world> world);

  task_database(const task_database&) = delete;
  task_database& operator=(const task_database&) = delete;
  /// Without `close` before: an unclean end, as after a crash.
  ~task_database();

  /// As found by `open` or left by `rebuild`.
  const database_metadata& metadata() const noexcept { return metadata_; }
  database_verdict verdict() const noexcept { return verdict_; }
  /// Why the verdict is what it is, for a person.
  const std::string& reason() const noexcept { return reason_; }

  /// Says (synced) that the database is in use in this boot; before anything is
  /// written to it. @pre the verdict is not `untrusted` or `too_old`.
  result<void> use();
  /// Removes what is there and opens an empty database, already in use.
  /// `keep_for`: what is there may be the last copy; it is set aside.
  result<void> rebuild(const std::optional<error>& keep_for = {});

  /// Readable after `open`; write only after `use` or `rebuild`.
  backend& store() noexcept { return *store_; }

  /// Synced write of the clean mark (if it was in use), then closes and
  /// releases the lock. After an error it is closed all the same, uncleanly;
  /// after `damaged` also set aside.
  result<void> close();

  /// Closes the database and keeps it as `db.corrupt-<n>`: the next `open`
  /// finds none.
  result<void> set_aside(const error& why);

private:
  task_database(task_database_options options,
                std::shared_ptr<outside_world> world);

  std::string path() const { return options_.directory + "/db"; }
  result<void> open_store();
  result<void> open_or_quarantine();
  result<void> quarantine(const error& why);
  result<void> check_generation() const;
  void judge();

  task_database_options options_;
  std::shared_ptr<outside_world> world_;
  std::unique_ptr<owner_file> owner_;
  std::unique_ptr<leveldb_backend> store_;
  database_metadata metadata_;
  database_verdict verdict_ = database_verdict::empty;
  std::string reason_;
  bool in_use_ = false;
};

} // namespace weir
