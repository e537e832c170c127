// How values become bytes: `weir::serde<T>`, specialised per type.
//
// A specialisation has
//   static void encode(const T& value, std::string& out);      // appends
//   static bool decode(std::string_view bytes, T& value);      // all of them
// and may have
//   static constexpr bool is_key = true;   // equal values have equal bytes,
//   and
//                                          // bytes sort as the keys should
//   static std::size_t weight(const T&);   // heap bytes, for the byte bounds
//
// Given here: std::string and bytes (raw), bool, every integer (big-endian,
// sign bit flipped) and float and double (mapped so that bytes sort as numbers,
// without losing a bit). JSON: stores/kv/json_serde.hpp, Protobuf:
// stores/kv/protobuf_serde.hpp; both are opt-in by their include.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace weir {

using bytes = std::vector<std::byte>;

/// The primary template: no serde. Specialise it for a type of your own.
template <class T>
struct serde {};

template <class T>
concept has_serde = requires(const T& in, T& out, std::string& to,
                             std::string_view from) {
  serde<T>::encode(in, to);
  { serde<T>::decode(from, out) } -> std::convertible_to<bool>;
};

/// Whether a type may be the key of a store.
template <class T>
concept has_key_serde = has_serde<T> && requires {
  requires serde<T>::is_key;
};

template <>
struct serde<std::string> {
  static constexpr bool is_key = true;
  static void encode(const std::string& x, std::string& out) { out.append(x); }
  static bool decode(std::string_view in, std::string& x) {
    x.assign(in);
    return true;
  }
  static std::size_t weight(const std::string& x) noexcept {
    return x.capacity();
  }
};

template <>
struct serde<bytes> {
  static constexpr bool is_key = true;
  static void encode(const bytes& x, std::string& out) {
    out.append(reinterpret_cast<const char*>(x.data()), x.size());
  }
  static bool decode(std::string_view in, bytes& x) {
    auto* data = reinterpret_cast<const std::byte*>(in.data());
    x.assign(data, data + in.size());
    return true;
  }
  static std::size_t weight(const bytes& x) noexcept { return x.capacity(); }
};

template <>
struct serde<bool> {
  static constexpr bool is_key = true;
  static void encode(bool x, std::string& out) { out.push_back(x ? 1 : 0); }
  static bool decode(std::string_view in, bool& x) {
    if (in.size() != 1 || (in[0] != 0 && in[0] != 1))
      return false;
    x = in[0] == 1;
    return true;
  }
};

namespace detail {

template <std::unsigned_integral Bits>
void encode_big_endian(Bits bits, std::string& out) {
  char buffer[sizeof(Bits)];
  for (std::size_t i = sizeof(Bits); i-- > 0; bits = Bits(bits >> 7 >> 1))
    buffer[i] = static_cast<char>(bits & 0xffu);
  out.append(buffer, sizeof(Bits));
}

template <std::unsigned_integral Bits>
bool decode_big_endian(std::string_view in, Bits& bits) {
  if (in.size() != sizeof(Bits))
    return false;
  std::uint64_t all = 0;
  for (char c : in)
    all = (all << 8) | static_cast<unsigned char>(c);
  bits = static_cast<Bits>(all);
  return true;
}

template <class Bits>
inline constexpr Bits top_bit = Bits(Bits{1} << (sizeof(Bits) * 8 - 1));

} // namespace detail

template <std::integral T>
requires(!std::same_as<T, bool>) struct serde<T> {
  static constexpr bool is_key = true;
  using unsigned_type = std::make_unsigned_t<T>;
  static constexpr unsigned_type flip =
      std::is_signed_v<T> ? detail::top_bit<unsigned_type> : unsigned_type{0};

  static void encode(T x, std::string& out) {
    detail::encode_big_endian(
        static_cast<unsigned_type>(static_cast<unsigned_type>(x) ^ flip), out);
  }
  static bool decode(std::string_view in, T& x) {
    unsigned_type bits = 0;
    if (!detail::decode_big_endian(in, bits))
      return false;
    x = static_cast<T>(static_cast<unsigned_type>(bits ^ flip));
    return true;
  }
};

/// Order of the bytes: negative numbers, -0, +0, positive numbers. Every bit
/// pattern survives, so that a value comes back as it was put. As a *key*, -0
/// is made +0 and NaN is refused (stores/kv/key_traits.hpp).
template <std::floating_point T>
requires(sizeof(T) == 4 || sizeof(T) == 8) struct serde<T> {
  static constexpr bool is_key = true;
  using bits_type =
      std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  static constexpr bits_type sign = detail::top_bit<bits_type>;

  static void encode(T x, std::string& out) {
    auto bits = std::bit_cast<bits_type>(x);
    detail::encode_big_endian(
        static_cast<bits_type>((bits & sign) != 0 ? ~bits : bits | sign), out);
  }
  static bool decode(std::string_view in, T& x) {
    bits_type bits = 0;
    if (!detail::decode_big_endian(in, bits))
      return false;
    x = std::bit_cast<T>(
        static_cast<bits_type>((bits & sign) != 0 ? bits & ~sign : ~bits));
    return true;
  }
};

} // namespace weir
