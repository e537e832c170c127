// What a task's database says about itself. All of it lives inside the database
// and is written in the batch of the data it speaks of: there is no side file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/leveldb/backend.hpp"
#include "stores/changelog/commit_record.hpp"

namespace weir {

/// A place in the changelog and the commit that ends there. May be older than
/// the state (an acknowledgement without an offset leaves it), never newer
/// (R6).
struct changelog_position {
  /// One past the offset of that commit's record (R12).
  std::int64_t offset = 0;
  /// The commit whose record is at `offset - 1`, and that record's checksum.
  origin by;
  std::uint64_t checksum = 0;
  bool operator==(const changelog_position&) const = default;
};

/// Facts found in a database.
struct database_metadata {
  /// The last commit applied; none in a store without any.
  std::optional<commit_record> commit;
  std::optional<changelog_position> position;
  /// Since when (wall clock, ms) a restore is unfinished (R6).
  std::optional<std::int64_t> restoring_since;
  /// The last user closed it with a synced write, nothing was written since.
  bool closed_cleanly = false;
  /// Boot of the machine in which it was last in use; empty = never.
  std::string boot_id;
  /// Of the job it belongs to; empty = never used.
  std::string generation;
};

/// Errors: `damaged` for entries that do not decode, and those of `get`.
result<database_metadata> read_metadata(backend& from);

/// The entries that make `commit` the last one applied; they belong in the
/// batch with its data. `position` is the offset after the commit record; none
/// where the broker did not say (R6): the older position stays.
change_batch commit_metadata(const commit_record& commit,
                             std::optional<std::int64_t> position);

namespace metadata_key {
// Keys of a task's database below every store's.
inline constexpr std::string_view boot{"\0b", 2};
inline constexpr std::string_view generation{"\0g", 2};
inline constexpr std::string_view position{"\0p", 2};
inline constexpr std::string_view restoring{"\0r", 2};
/// Prefix of records whose commit is not complete yet (restore).
inline constexpr std::string_view staged{"\0s", 2};
inline constexpr std::string_view closed{"\0x", 2};
} // namespace metadata_key

/// Value of `metadata_key::restoring`.
std::string encode_restoring(std::int64_t since_ms);
/// Value of `metadata_key::position`.
std::string encode(const changelog_position& x);

} // namespace weir
