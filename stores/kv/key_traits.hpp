// What a store needs of its key type beside the serde: a type to look it up by,
// a hash, equality.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "runtime/bytes/checksum.hpp"
#include "stores/kv/serde.hpp"
#include "stores/kv/store_error.hpp"

namespace weir {

namespace detail {

/// Finalizer of splitmix64: spreads the bits of an integer key.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

} // namespace detail

/// A user's key type needs a serde with `is_key` and `operator==`.
template <class K>
struct key_traits {
  using view = const K&;
  static K own(view key) { return key; }
  static bool equal(const K& a, view b) { return a == b; }
  static void encode(view key, std::string& out) { serde<K>::encode(key, out); }
  static std::uint64_t hash(view key) {
    std::string encoded;
    serde<K>::encode(key, encoded);
    return hash_bytes(encoded);
  }
};

/// Looked up by anything that is a string_view, without making a string.
template <>
struct key_traits<std::string> {
  using view = std::string_view;
  static std::string own(view key) { return std::string{key}; }
  static bool equal(const std::string& a, view b) noexcept { return a == b; }
  static void encode(view key, std::string& out) { out.append(key); }
  static std::uint64_t hash(view key) noexcept { return hash_bytes(key); }
};

template <std::integral K>
struct key_traits<K> {
  using view = K;
  static K own(view key) noexcept { return key; }
  static bool equal(K a, view b) noexcept { return a == b; }
  static void encode(view key, std::string& out) { serde<K>::encode(key, out); }
  static std::uint64_t hash(view key) noexcept {
    return detail::mix(static_cast<std::uint64_t>(key));
  }
};

/// -0 and +0 are the same key. NaN equals nothing and so can be no key.
template <std::floating_point K>
struct key_traits<K> {
  using view = K;
  static K own(view key) { return checked(key); }
  static bool equal(K a, view b) noexcept { return a == b; }
  static void encode(view key, std::string& out) {
    serde<K>::encode(checked(key), out);
  }
  static std::uint64_t hash(view key) {
    using bits = typename serde<K>::bits_type;
    return detail::mix(std::bit_cast<bits>(checked(key)));
  }

private:
  static K checked(K key) {
    if (std::isnan(key))
      throw store_error{ec::bad_argument,
                        "NaN cannot be the key of a store; check the number "
                        "before it is looked up"};
    return key == 0 ? K{0} : key;
  }
};

} // namespace weir
