// Bytes of what has parts. Included by weir/serde.hpp.
//
// Parts follow each other. One of fixed size is its bytes; one that has parts
// itself is those; every other one has its size (LEB128) before it.
#pragma once

#include "weir/serde.hpp"

namespace weir {

namespace detail {

inline void put_size(std::size_t n, std::string& out) {
  for (; n >= 0x80; n >>= 7)
    out.push_back(static_cast<char>(0x80 | (n & 0x7f)));
  out.push_back(static_cast<char>(n));
}

inline bool take_size(std::string_view& in, std::size_t& n) {
  n = 0;
  for (unsigned shift = 0; shift < 63 && !in.empty(); shift += 7) {
    auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    n |= std::size_t{byte & 0x7fu} << shift;
    if (byte < 0x80)
      return true;
  }
  return false;
}

template <class T>
concept fixed_part = requires {
  requires serde<T>::fixed_size != 0;
};
template <class T>
concept composite_part = requires {
  requires serde<T>::is_composite;
};

template <class T>
void put_part(const T& x, std::string& out) {
  static_assert(has_serde<T>,
                "a part of this type has no weir::serde: name its fields with "
                "WEIR_FIELDS, or specialise weir::serde<Part>");
  if constexpr (fixed_part<T> || composite_part<T>) {
    serde<T>::encode(x, out);
  } else if constexpr (std::same_as<T, std::string>) {
    put_size(x.size(), out);
    out += x;
  } else {
    std::string own;
    serde<T>{}.encode(x, own);
    put_size(own.size(), out);
    out += own;
  }
}

template <class T>
bool take_part(std::string_view& in, T& x) {
  if constexpr (composite_part<T>) {
    return serde<T>::take(in, x);
  } else {
    std::size_t size = 0;
    if constexpr (fixed_part<T>)
      size = serde<T>::fixed_size;
    else if (!take_size(in, size))
      return false;
    if (in.size() < size)
      return false;
    auto own = in.substr(0, size);
    in.remove_prefix(size);
    return is_ok(serde<T>{}.decode(own, x));
  }
}

/// `T` has a static `take(in, x)` that reads a T from the front.
template <class T>
struct composite_serde {
  static constexpr bool is_composite = true;
  static bool decode(std::string_view in, T& x) {
    return serde<T>::take(in, x) && in.empty();
  }
};

} // namespace detail

template <class... Parts>
struct serde<std::tuple<Parts...>>
    : detail::composite_serde<std::tuple<Parts...>> {
  static void encode(const std::tuple<Parts...>& x, std::string& out) {
    std::apply([&](auto&... each) { (detail::put_part(each, out), ...); }, x);
  }
  static bool take(std::string_view& in, std::tuple<Parts...>& x) {
    return std::apply(
        [&](auto&... each) { return (detail::take_part(in, each) && ...); }, x);
  }
};

template <class A, class B>
struct serde<std::pair<A, B>> : detail::composite_serde<std::pair<A, B>> {
  static void encode(const std::pair<A, B>& x, std::string& out) {
    detail::put_part(x.first, out);
    detail::put_part(x.second, out);
  }
  static bool take(std::string_view& in, std::pair<A, B>& x) {
    return detail::take_part(in, x.first) && detail::take_part(in, x.second);
  }
};

template <detail::has_fields T>
struct serde<T> : detail::composite_serde<T> {
  static void encode(const T& x, std::string& out) {
    detail::all_fields<T>([&](auto& each) {
      detail::put_part(x.*each.at, out);
      return true;
    });
  }
  static bool take(std::string_view& in, T& x) {
    return detail::all_fields<T>(
        [&](auto& each) { return detail::take_part(in, x.*each.at); });
  }
};

/// As a part, and as the value of a store. As a side of a topic an absent value
/// is a tombstone instead.
template <class T>
struct serde<std::optional<T>> : detail::composite_serde<std::optional<T>> {
  static void encode(const std::optional<T>& x, std::string& out) {
    out.push_back(x ? 1 : 0);
    if (x)
      detail::put_part(*x, out);
  }
  static bool take(std::string_view& in, std::optional<T>& x) {
    bool there = false;
    if (!detail::take_part(in, there))
      return false;
    x.reset();
    return !there || detail::take_part(in, x.emplace());
  }
};

template <class T>
struct serde<std::vector<T>> : detail::composite_serde<std::vector<T>> {
  static void encode(const std::vector<T>& x, std::string& out) {
    detail::put_size(x.size(), out);
    for (const T& each : x)
      detail::put_part(each, out);
  }
  static bool take(std::string_view& in, std::vector<T>& x) {
    std::size_t size = 0;
    // A part has a byte at least: what is not there needs no memory.
    if (!detail::take_size(in, size) || size > in.size())
      return false;
    x.clear();
    for (std::size_t i = 0; i < size; ++i) {
      T each{};
      if (!detail::take_part(in, each))
        return false;
      x.push_back(std::move(each));
    }
    return true;
  }
};

} // namespace weir
