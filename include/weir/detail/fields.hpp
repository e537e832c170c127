// WEIR_FIELDS: the fields of a struct, by name and in order.
#pragma once

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::detail {

template <class T, class Member>
struct field {
  using type = Member;
  std::string_view name;
  Member T::*at;
};

template <class T, class Member>
constexpr field<T, Member> make_field(std::string_view name, Member T::*at) {
  return {name, at};
}

/// Found by argument-dependent lookup: WEIR_FIELDS stands in T's namespace. A
/// class does not inherit its base's fields: it would lose its own.
template <class T>
concept has_fields = requires(std::type_identity<T> x) {
  weir_fields(x);
};

template <has_fields T>
inline constexpr auto fields_of = weir_fields(std::type_identity<T>{});

/// As it was written in WEIR_FIELDS.
template <has_fields T>
inline constexpr std::string_view
    type_name_of = weir_type_name(std::type_identity<T>{});

/// Calls `fn(field)` for each field in order, until one answers false.
template <has_fields T, class Fn>
constexpr bool all_fields(Fn&& fn) {
  return std::apply([&](const auto&... each) { return (fn(each) && ...); },
                    fields_of<T>);
}

} // namespace weir::detail

// Applies a macro to each of up to 256 arguments (P1042's __VA_OPT__).
#define WEIR_PARENTHESES ()
#define WEIR_EXPAND(...)                                                       \
  WEIR_EXPAND_4(WEIR_EXPAND_4(WEIR_EXPAND_4(__VA_ARGS__)))
#define WEIR_EXPAND_4(...)                                                     \
  WEIR_EXPAND_3(WEIR_EXPAND_3(WEIR_EXPAND_3(WEIR_EXPAND_3(__VA_ARGS__))))
#define WEIR_EXPAND_3(...)                                                     \
  WEIR_EXPAND_2(WEIR_EXPAND_2(WEIR_EXPAND_2(WEIR_EXPAND_2(__VA_ARGS__))))
#define WEIR_EXPAND_2(...)                                                     \
  WEIR_EXPAND_1(WEIR_EXPAND_1(WEIR_EXPAND_1(WEIR_EXPAND_1(__VA_ARGS__))))
#define WEIR_EXPAND_1(...) __VA_ARGS__
#define WEIR_EACH_FIELD(type, first, ...)                                      \
  ::weir::detail::make_field(#first, &type::first)                             \
      __VA_OPT__(, WEIR_NEXT_FIELD WEIR_PARENTHESES(type, __VA_ARGS__))
#define WEIR_NEXT_FIELD() WEIR_EACH_FIELD

/// Names the fields of `type`, in the order of their bytes. Beside the struct,
/// in its namespace: gives its bytes, its order as a key, its JSON, and how
/// commands and tests show it.
#define WEIR_FIELDS(type, ...)                                                 \
  [[maybe_unused]] constexpr auto weir_fields(std::type_identity<type>) {      \
    return std::tuple{WEIR_EXPAND(WEIR_EACH_FIELD(type, __VA_ARGS__))};        \
  }                                                                            \
  [[maybe_unused]] constexpr std::string_view weir_type_name(                  \
      std::type_identity<type>) {                                              \
    return #type;                                                              \
  }
