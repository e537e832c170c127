// How values become bytes: `weir::serde<T>`.
//
// A specialisation has
//   void encode(const T& value, std::string& out);       // appends
//   bool decode(std::string_view bytes, T& value);       // all of them
// static, or as members: each handle keeps one object, so that a serde may own
// a parser. `decode` overwrites all of `value`; it may answer `result<void>`
// instead, whose text then says what is wrong. It may have
//   static constexpr bool is_key = true;    // equal values have equal bytes,
//                                           // which sort as the values do
//
// Given: text and `bytes` as they are; numbers, enums and chrono types as
// Kafka's own serializers write them (big-endian, two's complement, IEEE 754);
// bool as one byte; optional, vector, pair, tuple and structs with WEIR_FIELDS
// part by part. A store's keys have an order of their own for these
// (detail/key_order.hpp).
#pragma once

#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/detail/fields.hpp"
#include "weir/error.hpp"

namespace weir {

using bytes = std::vector<std::byte>;

/// Of a topic: no key, or no value, or not looked at.
struct none {
  friend bool operator==(none, none) = default;
};

/// The primary template: no serde. Specialise it for a type of your own.
template <class T>
struct serde {};

namespace detail {

inline bool is_ok(bool x) noexcept {
  return x;
}
inline bool is_ok(const result<void>& x) noexcept {
  return x.has_value();
}

template <class S, class T>
concept codec_of = requires(S& s, const T& in, T& out, std::string& to,
                            std::string_view from) {
  s.encode(in, to);
  is_ok(s.decode(from, out));
};

template <std::unsigned_integral Bits>
void put_big_endian(Bits bits, std::string& out) {
  char buffer[sizeof(Bits)];
  for (std::size_t i = sizeof(Bits); i-- > 0; bits = Bits(bits >> 7 >> 1))
    buffer[i] = static_cast<char>(bits & 0xffu);
  out.append(buffer, sizeof(Bits));
}

/// @pre `in` has that many bytes
template <std::unsigned_integral Bits>
Bits big_endian(std::string_view in) noexcept {
  Bits bits = 0;
  for (std::size_t i = 0; i < sizeof(Bits); ++i)
    bits = Bits(Bits(bits << 7 << 1) | static_cast<unsigned char>(in[i]));
  return bits;
}

} // namespace detail

template <class T>
concept has_serde = detail::codec_of<serde<T>, T>;

template <>
struct serde<std::string> {
  static void encode(const std::string& x, std::string& out) { out += x; }
  static bool decode(std::string_view in, std::string& x) {
    x.assign(in);
    return true;
  }
};

/// A view of the record's bytes, for what is read: it ends with the handler's
/// call.
template <>
struct serde<std::string_view> {
  static void encode(std::string_view x, std::string& out) { out += x; }
  static bool decode(std::string_view in, std::string_view& x) {
    x = in;
    return true;
  }
};

template <>
struct serde<bytes> {
  static void encode(const bytes& x, std::string& out) {
    out.append(reinterpret_cast<const char*>(x.data()), x.size());
  }
  static bool decode(std::string_view in, bytes& x) {
    auto* data = reinterpret_cast<const std::byte*>(in.data());
    x.assign(data, data + in.size());
    return true;
  }
};

template <>
struct serde<bool> {
  static constexpr std::size_t fixed_size = 1;
  static void encode(bool x, std::string& out) { out.push_back(x ? 1 : 0); }
  static bool decode(std::string_view in, bool& x) {
    if (in.size() != 1 || (in[0] != 0 && in[0] != 1))
      return false;
    x = in[0] == 1;
    return true;
  }
};

template <std::integral T>
requires(!std::same_as<T, bool>) struct serde<T> {
  static constexpr std::size_t fixed_size = sizeof(T);
  using bits = std::make_unsigned_t<T>;
  static void encode(T x, std::string& out) {
    detail::put_big_endian(static_cast<bits>(x), out);
  }
  static bool decode(std::string_view in, T& x) {
    if (in.size() != fixed_size)
      return false;
    x = static_cast<T>(detail::big_endian<bits>(in));
    return true;
  }
};

/// Every bit pattern comes back as it was.
template <std::floating_point T>
requires(sizeof(T) == 4 || sizeof(T) == 8) struct serde<T> {
  static constexpr std::size_t fixed_size = sizeof(T);
  using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  static void encode(T x, std::string& out) {
    detail::put_big_endian(std::bit_cast<bits>(x), out);
  }
  static bool decode(std::string_view in, T& x) {
    if (in.size() != fixed_size)
      return false;
    x = std::bit_cast<T>(detail::big_endian<bits>(in));
    return true;
  }
};

namespace detail {

/// A type that is written as another one: `to` and `from` of Wrapped.
template <class T, class Raw, auto To, auto From>
struct wrapped_serde {
  static constexpr std::size_t fixed_size = sizeof(Raw);
  static void encode(const T& x, std::string& out) {
    serde<Raw>::encode(To(x), out);
  }
  static bool decode(std::string_view in, T& x) {
    Raw raw{};
    if (!serde<Raw>::decode(in, raw))
      return false;
    x = From(raw);
    return true;
  }
};

template <class T>
struct unwrapped;
template <class T>
requires std::is_enum_v<T>
struct unwrapped<T> {
  using raw = std::underlying_type_t<T>;
  static constexpr raw to(T x) noexcept { return static_cast<raw>(x); }
  static constexpr T from(raw x) noexcept { return static_cast<T>(x); }
};
template <class Rep, class Period>
struct unwrapped<std::chrono::duration<Rep, Period>> {
  using raw = Rep;
  using T = std::chrono::duration<Rep, Period>;
  static constexpr raw to(T x) noexcept { return x.count(); }
  static constexpr T from(raw x) noexcept { return T{x}; }
};
template <class Clock, class Duration>
struct unwrapped<std::chrono::time_point<Clock, Duration>> {
  using raw = typename Duration::rep;
  using T = std::chrono::time_point<Clock, Duration>;
  static constexpr raw to(T x) noexcept { return x.time_since_epoch().count(); }
  static constexpr T from(raw x) noexcept { return T{Duration{x}}; }
};
/// Enums, durations, points in time: a number in other clothes.
template <class T>
concept has_number = requires {
  typename unwrapped<T>::raw;
};

} // namespace detail

template <detail::has_number T>
struct serde<T> : detail::wrapped_serde<T, typename detail::unwrapped<T>::raw,
                                        detail::unwrapped<T>::to,
                                        detail::unwrapped<T>::from> {};

} // namespace weir

#include "weir/detail/composite.hpp"
