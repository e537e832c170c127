// Who wrote a record of the changelog: its one header. docs/formats.md has it
// byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/error.hpp"
#include "weir/record.hpp"

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

} // namespace weir
