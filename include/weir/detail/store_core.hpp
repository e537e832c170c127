// What the library does for a store without knowing its types: keys are bytes,
// values are objects that it constructs, copies and destroys by `value_ops`.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weir/detail/export.hpp"
#include "weir/format.hpp"

namespace weir::detail {

/// A type of values. All functions take pointers to such objects.
struct value_ops {
  std::size_t size;
  std::size_t align;
  void (*construct)(void* at);
  void (*copy)(void* at, const void* from);
  void (*move)(void* at, void* from);
  void (*assign)(void* x, const void* from);
  void (*destroy)(void* x) noexcept;
  /// Appends.
  void (*encode)(const void* x, std::string& out);
  /// False: the bytes are not those of such a value.
  bool (*decode)(std::string_view in, void* x);
  /// Bytes on the heap, for the bounds of memory; null where the size of its
  /// encoding has to do. A value that is trivially copied has none.
  std::size_t (*heap)(const void* x);
  bool trivial;
};

template <class F>
struct ops_of {
  using T = type_of<F>;
  static T& at(void* x) { return *static_cast<T*>(x); }
  static const T& at(const void* x) { return *static_cast<const T*>(x); }
  static std::size_t heap(const void* x) {
    if constexpr (requires { at(x).capacity(); })
      return at(x).capacity() * sizeof(*at(x).data());
    else
      return 0;
  }
  static bool decode(std::string_view in, void* x) {
    if constexpr (std::is_empty_v<format<F>>) {
      return is_ok(format<F>{}.decode(in, at(x)));
    } else {
      // It keeps a parser.
      thread_local format<F> codec;
      return is_ok(codec.decode(in, at(x)));
    }
  }
  static constexpr bool has_heap =
      std::is_trivially_copyable_v<T> || requires(const T& x) {
    x.capacity();
    x.data();
  };
  static constexpr value_ops ops{
      sizeof(T),
      alignof(T),
      [](void* x) { ::new (x) T{}; },
      [](void* x, const void* from) { ::new (x) T(at(from)); },
      [](void* x, void* from) { ::new (x) T(std::move(at(from))); },
      [](void* x, const void* from) { at(x) = at(from); },
      [](void* x) noexcept { at(x).~T(); },
      [](const void* x, std::string& out) { format<F>{}.encode(at(x), out); },
      decode,
      has_heap ? heap : nullptr,
      std::is_trivially_copyable_v<T>};
};

/// Whether a T has text that lies elsewhere, and so must not outlive it.
template <class T>
inline constexpr bool holds_views = std::is_same_v<T, std::string_view>;
template <class T>
inline constexpr bool holds_views<std::optional<T>> = holds_views<T>;
template <class T>
inline constexpr bool holds_views<std::vector<T>> = holds_views<T>;
template <class A, class B>
inline constexpr bool holds_views<std::pair<A, B>> =
    holds_views<A> || holds_views<B>;
template <class... Parts>
inline constexpr bool holds_views<std::tuple<Parts...>> = (holds_views<Parts> ||
                                                           ...);
template <class T, class... Members>
inline constexpr bool holds_views<const std::tuple<field<T, Members>...>> =
    (holds_views<Members> || ...);
template <has_fields T>
inline constexpr bool holds_views<T> = holds_views<decltype(fields_of<T>)>;

/// Tells key types from each other.
template <class K>
inline constexpr char key_tag = 0;

/// What opens a store.
struct store_spec {
  const value_ops* ops;
  const void* key;
};
template <class K, class F>
inline constexpr store_spec spec_of{&ops_of<F>::ops, &key_tag<K>};

class store_core;

// Keys are without the store's number. Each may throw store_error. A pointer to
// a value is valid until the next call for any store of the task.

/// The current value, or null.
WEIR_EXPORT const void* find(store_core& s, std::string_view key);
/// The same to be changed in place, made if there is none.
WEIR_EXPORT void* change(store_core& s, std::string_view key);
/// Moves from `value`.
WEIR_EXPORT void put(store_core& s, std::string_view key, void* value);
WEIR_EXPORT void erase(store_core& s, std::string_view key);

/// False ends the scan.
using visitor = bool (*)(void* context, std::string_view key,
                         const void* value);
/// [from, to) in the order of the keys' bytes; no `to` = to the end.
WEIR_EXPORT void scan(store_core& s, std::string_view from,
                      std::optional<std::string_view> to, void* context,
                      visitor visit);
WEIR_EXPORT void scan_prefix(store_core& s, std::string_view prefix,
                             void* context, visitor visit);
/// The database's view: the last applied commit.
WEIR_EXPORT void scan_committed(store_core& s, void* context, visitor visit);
/// Copies the value as of the last applied commit to `value`, which is an
/// object; false: there is none.
WEIR_EXPORT bool committed(store_core& s, std::string_view key, void* value);
/// What changed since the last seal, in the order of the first change; a null
/// value = erased.
WEIR_EXPORT void visit_changed(const store_core& s, void* context,
                               visitor visit);
/// A key of the database does not decode: written with another type.
[[noreturn]] WEIR_EXPORT void throw_undecodable_key(const store_core& s,
                                                    std::string_view key);

} // namespace weir::detail
