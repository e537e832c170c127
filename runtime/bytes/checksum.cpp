#include "runtime/bytes/checksum.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {

namespace {

// Seeds of the second half of a record, so that a tombstone and an empty value
// have different checksums.
constexpr std::uint64_t with_value = 0x9e3779b97f4a7c15u;
constexpr std::uint64_t without_value = 0xc2b2ae3d27d4eb4fu;

} // namespace

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

// The key's hash seeds that of the value: no separator to be ambiguous about.
std::uint64_t entry_hash(std::string_view raw_key,
                         std::string_view value) noexcept {
  auto hash = hash_bytes(value, hash_bytes(raw_key));
  return hash != 0 ? hash : 1;
}

void record_checksum::add(std::string_view raw_key,
                          std::optional<std::string_view> value) noexcept {
  auto seed = hash_bytes(raw_key, value_);
  value_ = value ? hash_bytes(*value, seed ^ with_value)
                 : hash_bytes({}, seed ^ without_value);
  ++count_;
}

} // namespace weir
