// The keys of a task's database and of its changelog.
//
//   0x00 …                        reserved: commit record and metadata
//   0x01 … 0xfa, encoded key      an entry of the store with that number
//   0xfb … 0xff                   reserved for later formats
//
// A store's entries are therefore one contiguous range, and the key of a commit
// record can never be that of an entry (R2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

inline constexpr char reserved_prefix = '\x00';
inline constexpr int first_store_number = 1;
inline constexpr int last_store_number = 250;

/// Every entry of every store lies in [state_begin(), state_end()).
constexpr std::string_view state_begin() noexcept {
  return "\x01";
}
constexpr std::string_view state_end() noexcept {
  return "\xfb";
}

/// Whether `raw_key` is that of an entry of a store.
constexpr bool is_store_key(std::string_view raw_key) noexcept {
  if (raw_key.empty())
    return false;
  auto number = static_cast<unsigned char>(raw_key.front());
  return number >= first_store_number && number <= last_store_number;
}

/// The smallest key behind every key that starts with `prefix`.
/// @pre `prefix` starts with a store number, so that there is one.
std::string after_prefix(std::string_view prefix);

} // namespace weir
