// A file system in memory with the two crashes of the simulation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/leveldb/environment.hpp"
#include "weir/error.hpp"

namespace weir {

/// What a fault does to the operation that it hits.
enum class file_fault {
  /// The operation fails; an append has written half. The life goes on.
  no_space,
  io_error,
  /// The process dies in this operation: every later one of its life fails.
  crash,
};

/// Whether the holes that LevelDB leaves in what is synced are closed, as in
/// `make_posix_environment`: its logs are not synced when the next one is begun
/// (google/leveldb#193), nor the directory after CURRENT was replaced.
enum class file_guards { on, off };

/// One machine's disk. Owned by the simulation; one thread.
///
/// A *life* is the time between two crashes: `current` gives the environment of
/// the present one. Handles and databases of an older life stay valid objects,
/// to be destroyed at leisure, but every operation of theirs fails and changes
/// nothing.
///
/// What a crash of the power leaves (LevelDB's contract with its file system):
/// a file keeps what was synced and a random prefix of the rest; creations,
/// renames and removals happened in their order, up to a random one that is not
/// before the last that a sync covered (of the created or renamed file itself,
/// or of a MANIFEST, which LevelDB lets sync the directory too).
///
/// LevelDB needs its background work done by somebody: `Schedule` only queues,
/// because it is called under the database's mutex, and
/// `environment::run_scheduled` runs the queue. If that happens after every
/// call into a database, no write ever waits: one write begins at most one new
/// memtable, and both conditions that a write waits for (the previous memtable
/// is not flushed, too many level-0 files) are gone before the next one.
class file_env {
public:
  file_env();
  file_env(const file_env&) = delete;
  file_env& operator=(const file_env&) = delete;
  ~file_env();

  /// The environment of the present life.
  std::shared_ptr<environment>
  current(file_guards guards = file_guards::on) const;
  /// Changes with a crash of the power only.
  std::string boot_id() const;

  /// The process dies: what was written stays.
  void crash_process();
  /// The power fails. `random` answers 64 random bits.
  void crash_power(const std::function<std::uint64_t()>& random);

  /// Operations that could fail so far, in all lives.
  std::uint64_t operations() const noexcept;
  /// The operation number `at` (the first is 1, 0 = none) meets `fault`. One at
  /// a time.
  void inject(std::uint64_t at, file_fault fault);
  /// Every operation from now on that needs space fails, until told otherwise;
  /// what writes no more than `room` bytes does not.
  void set_full(bool full, std::size_t room = 0);
  /// Whether the present life ended by an injected crash.
  bool crashed() const noexcept;

  /// Called with each operation, such as "append /a/db/000003.log 112".
  void set_trace(std::function<void(std::string_view)> trace);
  /// Microseconds for LevelDB's statistics; default: always 0.
  void set_clock(std::function<std::uint64_t()> now_us);

  // -- for tests that damage files

  std::vector<std::string> files() const;
  std::optional<std::string> contents(const std::string& path) const;
  void set_contents(const std::string& path, std::string bytes);

private:
  struct disk;
  std::shared_ptr<disk> disk_;
};

} // namespace weir
