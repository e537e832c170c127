// Which partition a key belongs to: Kafka's default, so that our topics are
// co-partitioned with those of Java producers.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

/// MurmurHash2 with Kafka's seed, as org.apache.kafka.common.utils.Utils.
std::uint32_t murmur2(std::string_view key) noexcept;

/// `toPositive(murmur2(key)) % partitions`. @pre partitions > 0
inline std::int32_t partition_of(std::string_view key,
                                 int partitions) noexcept {
  return static_cast<std::int32_t>((murmur2(key) & 0x7fffffffu) %
                                   static_cast<std::uint32_t>(partitions));
}

} // namespace weir
