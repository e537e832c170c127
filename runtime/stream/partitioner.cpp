#include "runtime/stream/partitioner.hpp"

namespace weir {

std::uint32_t murmur2(std::string_view key) noexcept {
  constexpr std::uint32_t seed = 0x9747b28cu;
  constexpr std::uint32_t mix = 0x5bd1e995u;
  auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(key[i]));
  };
  auto size = key.size();
  std::uint32_t h = seed ^ static_cast<std::uint32_t>(size);
  std::size_t i = 0;
  for (; i + 4 <= size; i += 4) {
    // Little-endian by definition, whatever the machine.
    std::uint32_t k =
        byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
    k *= mix;
    k ^= k >> 24;
    k *= mix;
    h *= mix;
    h ^= k;
  }
  switch (size - i) {
  case 3:
    h ^= byte(i + 2) << 16;
    [[fallthrough]];
  case 2:
    h ^= byte(i + 1) << 8;
    [[fallthrough]];
  case 1:
    h ^= byte(i);
    h *= mix;
    break;
  default:
    break;
  }
  h ^= h >> 13;
  h *= mix;
  h ^= h >> 15;
  return h;
}

} // namespace weir
