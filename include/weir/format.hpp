// What a definition's type parameters may be: types with a serde, formats such
// as json<T>, std::optional of one, or none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "weir/serde.hpp"

namespace weir {

/// How F's values become bytes: the serde of a plain type. A class that has a
/// member type `weir_format` is a format: it has `type`, the type of its values,
/// and encodes and decodes them itself.
template <class F>
struct format : serde<F> {
  using type = F;
};
template <class F>
requires requires {
  typename F::weir_format;
}
struct format<F> : F {
};

namespace detail {

template <class F>
using type_of = typename format<F>::type;

template <class F>
concept has_format = codec_of<format<F>, type_of<F>>;

/// One side of a topic: `inner` is the format, which may be absent.
template <class F>
struct side {
  static constexpr bool optional = false;
  using inner = F;
  using value = type_of<F>;
};
template <class F>
struct side<std::optional<F>> {
  static constexpr bool optional = true;
  using inner = F;
  using value = std::optional<type_of<F>>;
};
template <>
struct side<none> {
  static constexpr bool optional = false;
  using inner = none;
  using value = none;
};

template <class T>
using passed = std::conditional_t<
    std::is_same_v<T, std::string>, std::string_view,
    std::conditional_t<std::is_arithmetic_v<T> || std::is_enum_v<T> ||
                           std::is_same_v<T, std::string_view>,
                       T, const T&>>;

} // namespace detail

/// What a format holds: `tick` of `json<tick>`, T of a plain T.
template <class F>
using value_of = typename detail::side<F>::value;
/// How it is passed: text as a view, numbers by value, all else by reference.
template <class F>
using param = detail::passed<value_of<F>>;

/// The bytes of `x` in the format F. Throws what the format's encode throws.
template <class F>
std::string encode(const detail::type_of<F>& x) {
  std::string out;
  format<F>{}.encode(x, out);
  return out;
}

/// Errors: `bad_format`, or what the format's decode answers.
template <class F>
result<detail::type_of<F>> decode(std::string_view bytes) {
  detail::type_of<F> out{};
  auto done = format<F>{}.decode(bytes, out);
  if constexpr (std::is_same_v<decltype(done), result<void>>) {
    if (!done)
      return fail(done.error());
  } else if (!done) {
    return fail(ec::bad_format, "the bytes do not decode");
  }
  return out;
}

} // namespace weir
