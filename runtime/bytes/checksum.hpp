// Checksums of state and changelog: xxh3, 64 bits. They find torn, lost and
// damaged records, not an attacker. Part of the formats: never change them
// without a new format version.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

std::uint64_t hash_bytes(std::string_view bytes,
                         std::uint64_t seed = 0) noexcept;

/// Hash of one live entry; never 0, which stands for "no such entry".
std::uint64_t entry_hash(std::string_view raw_key,
                         std::string_view value) noexcept;

/// The running checksum of a commit's records, in their order (R2).
class record_checksum {
public:
  /// No value = a tombstone, which differs from an empty value.
  void add(std::string_view raw_key,
           std::optional<std::string_view> value) noexcept;

  std::uint64_t value() const noexcept { return value_; }
  /// Number of records added.
  std::uint64_t count() const noexcept { return count_; }

private:
  std::uint64_t value_ = 0;
  std::uint64_t count_ = 0;
};

} // namespace weir
