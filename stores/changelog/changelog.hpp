// The bytes of a changelog: who wrote a record, and the commit record that ends
// every commit (rules R2, R3). docs/formats.md has them byte by byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/stream/record.hpp"

namespace weir {

/// The 128 random bits of a lane's producer id `weir.<job>.<32 hex digits>`.
struct lane_id {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const lane_id&) const = default;
};

/// 32 lower-case hex digits.
std::string to_string(const lane_id& x);
/// From what `random_id` makes. Errors: `bad_format`.
result<lane_id> parse_lane_id(std::string_view hex);

/// Which commit a changelog record belongs to; its only header says so.
struct origin {
  lane_id lane;
  /// Of the task's owner: goes up with every claim, starts at 1.
  std::uint64_t epoch = 0;
  /// Counts the commits of one owner, starts at 1.
  std::uint64_t sequence = 0;
  bool operator==(const origin&) const = default;
};

/// Whether commit `x` comes before commit `y` of the same task.
constexpr bool before(const origin& x, const origin& y) noexcept {
  return x.epoch != y.epoch ? x.epoch < y.epoch : x.sequence < y.sequence;
}

/// "epoch 3, sequence 7 of lane 00ff…"
std::string to_string(const origin& x);

inline constexpr std::string_view origin_header = "w";
/// Value of that header.
std::string encode(const origin& x);
/// Errors: `bad_format`.
result<origin> decode_origin(std::string_view bytes);
/// Errors: `corruption` for a record that weir did not write: it lacks the
/// header, has others beside it, or the header is malformed.
result<origin> origin_of(const record& x);

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
  bool operator==(const commit_record&) const = default;
};

/// @pre the fields are within the limits that `decode_commit` checks.
std::string encode(const commit_record& x);
/// Bounds-checked; hostile bytes are refused. Errors: `bad_format`, also for a
/// newer format version, a wrong checksum and an input without a position.
result<commit_record> decode_commit(std::string_view bytes);
/// What the next commit record has as `previous`.
std::uint64_t checksum(const commit_record& x);

} // namespace weir
