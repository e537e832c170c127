// Bytes of a store's keys: equal keys have equal bytes, and bytes sort as the
// keys do. Numbers therefore have other bytes here than in a topic; all else
// that is a key by its own serde has that serde's bytes.
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "weir/detail/export.hpp"
#include "weir/serde.hpp"

namespace weir::detail {

/// `put` and `get`: the whole key. `put_part` and `take_part`: a part of one,
/// which ends by itself. Empty for what cannot be a key.
template <class T>
struct key_order {};

template <class T>
concept key_type = requires(const T& in, T& out, std::string& to,
                            std::string_view from) {
  key_order<T>::put(in, to);
  { key_order<T>::get(from, out) } -> std::same_as<bool>;
};

/// Appends `x` so that it ends by itself and sorts as before: a zero byte is
/// 00 ff, the end 00 01.
WEIR_EXPORT void put_escaped(std::string_view x, std::string& out);
/// Takes one of those from the front; false: there is none.
WEIR_EXPORT bool take_escaped(std::string_view& in, std::string& x);
/// Throws store_error: NaN has no place in any order.
[[noreturn]] WEIR_EXPORT void refuse_nan_key();

/// Keys of any size: what `Whole::put` appends, escaped as a part.
template <class T, class Whole>
struct open_key_order {
  static void put_part(const T& x, std::string& out) {
    std::string own;
    Whole::put(x, own);
    put_escaped(own, out);
  }
  static bool take_part(std::string_view& in, T& x) {
    std::string own;
    return take_escaped(in, own) && Whole::get(own, x);
  }
};

/// Keys that end by themselves: a part is the whole.
template <class T, class Part>
struct closed_key_order {
  static void put(const T& x, std::string& out) { Part::put_part(x, out); }
  static bool get(std::string_view in, T& x) {
    return Part::take_part(in, x) && in.empty();
  }
};

template <>
struct key_order<std::string>
    : open_key_order<std::string, key_order<std::string>> {
  static void put(std::string_view x, std::string& out) { out += x; }
  static bool get(std::string_view in, std::string& x) {
    x.assign(in);
    return true;
  }
  static void put_part(std::string_view x, std::string& out) {
    put_escaped(x, out);
  }
  static bool take_part(std::string_view& in, std::string& x) {
    return take_escaped(in, x);
  }
};

template <>
struct key_order<bytes> : open_key_order<bytes, key_order<bytes>> {
  static void put(const bytes& x, std::string& out) {
    serde<bytes>::encode(x, out);
  }
  static bool get(std::string_view in, bytes& x) {
    return serde<bytes>::decode(in, x);
  }
};

/// A type with a serde of its own that promises the order.
template <class T>
concept key_by_serde = has_serde<T> && requires {
  requires serde<T>::is_key;
};
template <key_by_serde T>
struct key_order<T> : open_key_order<T, key_order<T>> {
  static void put(const T& x, std::string& out) { serde<T>{}.encode(x, out); }
  static bool get(std::string_view in, T& x) {
    return is_ok(serde<T>{}.decode(in, x));
  }
};

/// A number as unsigned bits that sort as it does. -0.0 is 0.0: they are equal.
template <class T>
struct sorted_bits;
template <std::integral T>
requires(!std::same_as<T, bool>) struct sorted_bits<T> {
  using bits = std::make_unsigned_t<T>;
  static constexpr bits flip =
      std::is_signed_v<T> ? bits(bits{1} << (sizeof(T) * 8 - 1)) : bits{0};
  static bits to(T x) noexcept { return bits(static_cast<bits>(x) ^ flip); }
  static T from(bits x) noexcept { return static_cast<T>(bits(x ^ flip)); }
};
template <std::floating_point T>
requires(sizeof(T) == 4 || sizeof(T) == 8) struct sorted_bits<T> {
  using bits = typename serde<T>::bits;
  static constexpr bits sign = bits(bits{1} << (sizeof(T) * 8 - 1));
  static bits to(T x) {
    if (std::isnan(x))
      refuse_nan_key();
    auto raw = std::bit_cast<bits>(x == 0 ? T{0} : x);
    return bits((raw & sign) != 0 ? ~raw : raw | sign);
  }
  static T from(bits x) noexcept {
    return std::bit_cast<T>(bits((x & sign) != 0 ? x & ~sign : ~x));
  }
};
template <>
struct sorted_bits<bool> {
  using bits = unsigned char;
  static bits to(bool x) noexcept { return x ? 1 : 0; }
  static bool from(bits x) noexcept { return x != 0; }
};
template <has_number T>
struct sorted_bits<T> {
  using raw = typename unwrapped<T>::raw;
  using bits = typename sorted_bits<raw>::bits;
  static bits to(T x) { return sorted_bits<raw>::to(unwrapped<T>::to(x)); }
  static T from(bits x) {
    return unwrapped<T>::from(sorted_bits<raw>::from(x));
  }
};

template <class T>
requires requires {
  typename sorted_bits<T>::bits;
}
struct key_order<T> : closed_key_order<T, key_order<T>> {
  using bits = typename sorted_bits<T>::bits;
  static void put_part(T x, std::string& out) {
    put_big_endian(sorted_bits<T>::to(x), out);
  }
  static bool take_part(std::string_view& in, T& x) {
    if (in.size() < sizeof(bits))
      return false;
    auto raw = big_endian<bits>(in);
    in.remove_prefix(sizeof(bits));
    x = sorted_bits<T>::from(raw);
    if constexpr (std::floating_point<T>)
      if (std::isnan(x))
        return false;
    // Equal keys have equal bytes: no others are read.
    return sorted_bits<T>::to(x) == raw;
  }
};

template <key_type... Parts>
struct key_order<std::tuple<Parts...>>
    : closed_key_order<std::tuple<Parts...>, key_order<std::tuple<Parts...>>> {
  static void put_part(const std::tuple<Parts...>& x, std::string& out) {
    std::apply(
        [&](auto&... each) { (key_order<Parts>::put_part(each, out), ...); },
        x);
  }
  static bool take_part(std::string_view& in, std::tuple<Parts...>& x) {
    return std::apply(
        [&](auto&... each) {
          return (key_order<Parts>::take_part(in, each) && ...);
        },
        x);
  }
};

template <key_type A, key_type B>
struct key_order<std::pair<A, B>>
    : closed_key_order<std::pair<A, B>, key_order<std::pair<A, B>>> {
  static void put_part(const std::pair<A, B>& x, std::string& out) {
    key_order<A>::put_part(x.first, out);
    key_order<B>::put_part(x.second, out);
  }
  static bool take_part(std::string_view& in, std::pair<A, B>& x) {
    return key_order<A>::take_part(in, x.first) &&
           key_order<B>::take_part(in, x.second);
  }
};

/// None sorts first.
template <key_type T>
struct key_order<std::optional<T>>
    : closed_key_order<std::optional<T>, key_order<std::optional<T>>> {
  static void put_part(const std::optional<T>& x, std::string& out) {
    out.push_back(x ? 1 : 0);
    if (x)
      key_order<T>::put_part(*x, out);
  }
  static bool take_part(std::string_view& in, std::optional<T>& x) {
    bool there = false;
    if (!key_order<bool>::take_part(in, there))
      return false;
    x.reset();
    return !there || key_order<T>::take_part(in, x.emplace());
  }
};

template <class Fields>
inline constexpr bool all_key_types = false;
template <class T, class... Members>
inline constexpr bool all_key_types<const std::tuple<field<T, Members>...>> =
    (key_type<Members> && ...);

template <has_fields T>
requires(!key_by_serde<T> &&
         all_key_types<decltype(fields_of<T>)>) struct key_order<T>
    : closed_key_order<T, key_order<T>> {
  static void put_part(const T& x, std::string& out) {
    all_fields<T>([&]<class M>(const field<T, M>& each) {
      key_order<M>::put_part(x.*each.at, out);
      return true;
    });
  }
  static bool take_part(std::string_view& in, T& x) {
    return all_fields<T>([&]<class M>(const field<T, M>& each) {
      return key_order<M>::take_part(in, x.*each.at);
    });
  }
};

/// The part of a key by which its record is routed, and by which scans of a
/// prefix go: the first of a composite, else the key itself.
template <class K>
struct first_part {
  using type = K;
};
template <class First, class... Rest>
struct first_part<std::tuple<First, Rest...>> {
  using type = First;
};
template <class A, class B>
struct first_part<std::pair<A, B>> {
  using type = A;
};
template <has_fields T>
requires(!key_by_serde<T>) struct first_part<T> {
  using type = typename std::tuple_element_t<
      0, std::remove_const_t<decltype(fields_of<T>)>>::type;
};

} // namespace weir::detail
