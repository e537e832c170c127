// JSON: `json<T>` as a format, and how commands and tests show a T.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/detail/json_value.hpp"
#include "weir/format.hpp"

namespace weir {

namespace detail {

/// weir/detail/type_text.hpp
template <class T>
void put_type(std::string& out, int depth);
template <class T>
void put_fields(std::string& out, int depth);

} // namespace detail

/// How a T is JSON. Given: bool, numbers, enums and chrono types (their
/// number), text, bytes (base64), optional (null, or a field that lacks),
/// vector, pair and tuple (arrays), structs with WEIR_FIELDS (objects).
/// Specialise it for others:
///   static void write(const T& x, std::string& out);          // appends
///   static bool read(detail::json_value& in, T& x);           // all of x
/// A document may be read twice, from its start: `read` leaves nothing behind
/// but x.
template <class T>
struct as_json {};

template <class T>
concept has_json = requires(const T& x, T& y, std::string& out,
                            detail::json_value& in) {
  as_json<T>::write(x, out);
  { as_json<T>::read(in, y) } -> std::same_as<bool>;
};

/// A format: T as JSON. Reading checks the whole document; unknown fields are
/// passed over, a field that stands twice is refused, only optional ones may
/// lack. What is wrong is named: "field 'price' is missing". A string_view in T
/// is valid as long as the text that was read, and until the next one is: in a
/// handler, during the call.
///
/// Numbers are written in their shortest form that is read back as the same.
/// Writing NaN, an infinity or text that is not UTF-8 throws: JSON has none.
template <class T>
class json {
  static_assert(has_json<T>,
                "this type is not known as JSON: name its fields with "
                "WEIR_FIELDS, or specialise weir::as_json<T>");

public:
  using weir_format = json;
  using type = T;
  static void encode(const T& x, std::string& out) {
    as_json<T>::write(x, out);
  }
  static void put_type(std::string& out) {
    out += "json<";
    if constexpr (detail::has_fields<T>)
      detail::put_fields<T>(out, 0);
    else
      detail::put_type<T>(out, 0);
    out += '>';
  }
  result<void> decode(std::string_view in, T& x) {
    return parser_.read(in, &x, [](detail::json_value& in, void* to) {
      return as_json<T>::read(in, *static_cast<T*>(to));
    });
  }

private:
  detail::json_parser parser_;
};

template <>
struct as_json<bool> {
  static void write(bool x, std::string& out) { out += x ? "true" : "false"; }
  static bool read(detail::json_value& in, bool& x) { return in.get(x); }
};

template <std::integral T>
requires(!std::same_as<T, bool>) struct as_json<T> {
  using wide =
      std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
  static void write(T x, std::string& out) {
    detail::json_number(wide{x}, out);
  }
  static bool read(detail::json_value& in, T& x) {
    wide all = 0;
    if (!in.get(all))
      return false;
    x = static_cast<T>(all);
    return wide{x} == all || in.refuse("is out of its type's range");
  }
};

template <std::floating_point T>
struct as_json<T> {
  static void write(T x, std::string& out) { detail::json_number(x, out); }
  static bool read(detail::json_value& in, T& x) {
    double all = 0;
    if (!in.get(all))
      return false;
    x = static_cast<T>(all);
    return true;
  }
};

template <>
struct as_json<std::string> {
  static void write(const std::string& x, std::string& out) {
    detail::json_text(x, out);
  }
  static bool read(detail::json_value& in, std::string& x) {
    std::string_view all;
    if (!in.get(all))
      return false;
    x.assign(all);
    return true;
  }
};

template <>
struct as_json<std::string_view> {
  static void write(std::string_view x, std::string& out) {
    detail::json_text(x, out);
  }
  static bool read(detail::json_value& in, std::string_view& x) {
    return in.get(x);
  }
};

template <>
struct as_json<bytes> {
  static void write(const bytes& x, std::string& out) {
    detail::json_base64(x, out);
  }
  static bool read(detail::json_value& in, bytes& x) {
    return in.get_base64(x);
  }
};

template <detail::has_number T>
struct as_json<T> {
  using number = detail::unwrapped<T>;
  static void write(const T& x, std::string& out) {
    as_json<typename number::raw>::write(number::to(x), out);
  }
  static bool read(detail::json_value& in, T& x) {
    typename number::raw raw{};
    if (!as_json<typename number::raw>::read(in, raw))
      return false;
    x = number::from(raw);
    return true;
  }
};

template <has_json T>
struct as_json<std::optional<T>> {
  static void write(const std::optional<T>& x, std::string& out) {
    if (x)
      as_json<T>::write(*x, out);
    else
      out += "null";
  }
  static bool read(detail::json_value& in, std::optional<T>& x) {
    x.reset();
    return in.is_null() || as_json<T>::read(in, x.emplace());
  }
};

template <has_json T>
struct as_json<std::vector<T>> {
  static void write(const std::vector<T>& x, std::string& out) {
    auto between = '[';
    for (const T& each : x) {
      out += std::exchange(between, ',');
      as_json<T>::write(each, out);
    }
    out += between == '[' ? "[]" : "]";
  }
  static bool read(detail::json_value& in, std::vector<T>& x) {
    x.clear();
    return in.array(&x, [](void* to, std::size_t, detail::json_value& in) {
      T each{};
      if (!as_json<T>::read(in, each))
        return false;
      static_cast<std::vector<T>*>(to)->push_back(std::move(each));
      return true;
    });
  }
};

namespace detail {

/// Arrays of a fixed length, each element of its own type.
template <class Tuple, class... Parts>
struct json_tuple {
  static void write(const Tuple& x, std::string& out) {
    auto between = '[';
    std::apply(
        [&](const Parts&... each) {
          ((out += std::exchange(between, ','),
            as_json<Parts>::write(each, out)),
           ...);
        },
        x);
    out += ']';
  }
  static bool read(json_value& in, Tuple& x) {
    std::size_t seen = 0;
    struct context {
      Tuple& x;
      std::size_t& seen;
    } to{x, seen};
    auto done = in.array(&to, [](void* at, std::size_t i, json_value& in) {
      auto& [x, seen] = *static_cast<context*>(at);
      seen = i + 1;
      return read_part(in, x, i, std::index_sequence_for<Parts...>{});
    });
    return done && (seen == sizeof...(Parts) || in.refuse("is too short"));
  }

private:
  template <std::size_t... Is>
  static bool read_part(json_value& in, Tuple& x, std::size_t i,
                        std::index_sequence<Is...>) {
    bool done = false;
    bool found = ((i == Is &&
                   (done = as_json<Parts>::read(in, std::get<Is>(x)), true)) ||
                  ...);
    return found ? done : in.refuse("is one too many");
  }
};

template <class T, std::size_t I>
using member_of = typename std::tuple_element_t<
    I, std::remove_const_t<decltype(fields_of<T>)>>::type;

template <class T, std::size_t I>
constexpr json_field json_field_of() {
  using member = member_of<T, I>;
  constexpr auto at = std::get<I>(fields_of<T>).at;
  json_field out{std::get<I>(fields_of<T>).name,
                 [](json_value& in, void* to) {
                   return as_json<member>::read(in, static_cast<T*>(to)->*at);
                 },
                 nullptr};
  if constexpr (requires(member x) { x.reset(); })
    out.absent = [](void* to) { (static_cast<T*>(to)->*at).reset(); };
  return out;
}

template <class T, std::size_t... Is>
constexpr auto json_fields(std::index_sequence<Is...>) {
  return std::array{json_field_of<T, Is>()...};
}

template <class T>
inline constexpr std::size_t field_count =
    std::tuple_size_v<std::remove_const_t<decltype(fields_of<T>)>>;

/// What stands before a field's value, from the comma or brace on.
template <class T, std::size_t I>
constexpr auto json_label_of() {
  constexpr auto name = std::get<I>(fields_of<T>).name;
  std::array<char, name.size() + 4> out{};
  out[0] = I == 0 ? '{' : ',';
  out[1] = '"';
  name.copy(out.data() + 2, name.size());
  out[name.size() + 2] = '"';
  out[name.size() + 3] = ':';
  return out;
}
template <class T, std::size_t I>
inline constexpr auto json_label = json_label_of<T, I>();

template <class Fields>
inline constexpr bool all_json = false;
template <class T, class... Members>
inline constexpr bool all_json<const std::tuple<field<T, Members>...>> =
    (has_json<Members> && ...);

} // namespace detail

template <has_json... Parts>
struct as_json<std::tuple<Parts...>>
    : detail::json_tuple<std::tuple<Parts...>, Parts...> {};
template <has_json A, has_json B>
struct as_json<std::pair<A, B>> : detail::json_tuple<std::pair<A, B>, A, B> {};

template <detail::has_fields T>
requires detail::all_json<decltype(detail::fields_of<T>)>
struct as_json<T> {
  static void write(const T& x, std::string& out) {
    write_fields(x, out, std::make_index_sequence<detail::field_count<T>>{});
    out += '}';
  }
  static bool read(detail::json_value& in, T& x) {
    static_assert(detail::field_count<T> <= 64,
                  "an object that is read has at most 64 fields: put some of "
                  "them into a struct of their own");
    static constexpr auto fields = detail::json_fields<T>(
        std::make_index_sequence<detail::field_count<T>>{});
    return in.object(fields, &x);
  }

private:
  template <std::size_t... Is>
  static void write_fields(const T& x, std::string& out,
                           std::index_sequence<Is...>) {
    ((out.append(detail::json_label<T, Is>.data(),
                 detail::json_label<T, Is>.size()),
      as_json<detail::member_of<T, Is>>::write(
          x.*std::get<Is>(detail::fields_of<T>).at, out)),
     ...);
  }
};

} // namespace weir
