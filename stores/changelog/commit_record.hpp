// The record that ends every commit (rules R2, R3). docs/formats.md has it byte
// by byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stores/changelog/origin.hpp"
#include "weir/error.hpp"
#include "weir/record.hpp"

namespace weir {

/// The key of every commit record: no store can have it.
inline constexpr std::string_view commit_key{"\0c", 2};

/// What identifies a consumed record when its topic is met again (R5).
struct fingerprint {
  std::int64_t offset = 0;
  std::int64_t timestamp = 0;
  /// Of key and value.
  std::uint64_t checksum = 0;
  bool operator==(const fingerprint&) const = default;
};

fingerprint fingerprint_of(const record& x) noexcept;

/// Where the task goes on in one input.
struct input_position {
  std::string topic;
  /// Offset of the next record to process.
  std::int64_t next_offset = 0;
  /// The last consumed record; none as long as there was none.
  std::optional<fingerprint> last;
  bool operator==(const input_position&) const = default;
};

/// The last changelog record of every commit: who wrote it, what it holds, and
/// the input positions that belong to this state.
struct commit_record {
  /// Of the job; 1 to 64 bytes.
  std::string generation;
  origin by;
  /// Counts the task's commits over all epochs, from 1.
  std::uint64_t number = 0;
  /// `checksum` of the task's commit record before this one, 0 for the first.
  std::uint64_t previous = 0;
  /// The other records of this commit, and their `record_checksum`.
  std::uint64_t record_count = 0;
  std::uint64_t records_checksum = 0;
  /// Every input of the task; an absent one is new (R3).
  std::vector<input_position> inputs;
  /// Sum modulo 2^64 of `entry_hash` over the live entries of all stores.
  std::uint64_t state_digest = 0;
  /// Milliseconds since the Unix epoch (R9).
  std::int64_t wall_clock_ms = 0;
  /// Fields of a newer weir that may be passed over, as they were read: the
  /// record's checksum holds them.
  std::string unknown_fields;
  bool operator==(const commit_record&) const = default;
};

/// @pre the fields are within the limits that `decode_commit` checks.
std::string encode(const commit_record& x);
/// Bounds-checked; hostile bytes are refused. Errors: `bad_format`, also for
/// another format version, a field of a newer weir that may not be passed over,
/// a wrong checksum and an input without a position.
result<commit_record> decode_commit(std::string_view bytes);
/// What the next commit record has as `previous`.
std::uint64_t checksum(const commit_record& x);

} // namespace weir
