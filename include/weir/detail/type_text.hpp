// What a type is called in a job's description: by its structure, so that the
// name of a struct may change and its fields may not.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/format.hpp"

namespace weir::detail {

/// Structs may contain each other.
inline constexpr int most_type_depth = 8;

template <class T>
void put_type(std::string& out, int depth);
template <class T>
void put_fields(std::string& out, int depth);

template <class T>
struct type_text {
  /// A serde or format of the user's says its name, or has none.
  static void put(std::string& out, int) {
    if constexpr (requires { std::string_view{format<T>::type_name}; })
      out += format<T>::type_name;
    else if constexpr (requires { format<T>::put_type(out); })
      format<T>::put_type(out);
    else
      out += "custom";
  }
};

template <class T>
requires std::is_arithmetic_v<T>
struct type_text<T> {
  static void put(std::string& out, int) {
    if constexpr (std::is_same_v<T, bool>) {
      out += "bool";
    } else {
      out += std::is_floating_point_v<T> ? 'f'
             : std::is_signed_v<T>       ? 'i'
                                         : 'u';
      out += std::to_string(sizeof(T) * 8);
    }
  }
};

template <class T>
requires std::is_enum_v<T>
struct type_text<T> {
  static void put(std::string& out, int depth) {
    put_type<std::underlying_type_t<T>>(out, depth);
  }
};

/// A number and the seconds that it counts.
template <class Duration>
void put_duration(std::string& out, int depth) {
  put_type<typename Duration::rep>(out, depth);
  out += '*' + std::to_string(Duration::period::num) + '/' +
         std::to_string(Duration::period::den) + 's';
}
template <class Rep, class Period>
struct type_text<std::chrono::duration<Rep, Period>> {
  static void put(std::string& out, int depth) {
    put_duration<std::chrono::duration<Rep, Period>>(out, depth);
  }
};
template <class Clock, class Duration>
struct type_text<std::chrono::time_point<Clock, Duration>> {
  static void put(std::string& out, int depth) {
    out += '@';
    put_duration<Duration>(out, depth);
  }
};

template <class T>
struct type_text<std::optional<T>> {
  static void put(std::string& out, int depth) {
    put_type<T>(out, depth);
    out += '?';
  }
};

template <class T>
struct type_text<std::vector<T>> {
  static void put(std::string& out, int depth) {
    out += '[';
    put_type<T>(out, depth);
    out += ']';
  }
};

template <class... Parts>
void put_parts(std::string& out, int depth) {
  auto between = '(';
  ((out += std::exchange(between, ','), put_type<Parts>(out, depth)), ...);
  out += between == '(' ? "()" : ")";
}
template <class... Parts>
struct type_text<std::tuple<Parts...>> {
  static void put(std::string& out, int depth) {
    put_parts<Parts...>(out, depth);
  }
};
template <class A, class B>
struct type_text<std::pair<A, B>> {
  static void put(std::string& out, int depth) { put_parts<A, B>(out, depth); }
};

template <has_fields T>
requires(!requires { format<T>::type_name; }) struct type_text<T> {
  static void put(std::string& out, int depth) { put_fields<T>(out, depth); }
};

template <class T>
void put_fields(std::string& out, int depth) {
  auto between = '{';
  all_fields<T>([&]<class M>(const field<T, M>& each) {
    out += std::exchange(between, ',');
    out += each.name;
    out += ':';
    put_type<M>(out, depth);
    return true;
  });
  out += '}';
}

template <>
struct type_text<std::string> {
  static void put(std::string& out, int) { out += "text"; }
};
template <>
struct type_text<std::string_view> {
  static void put(std::string& out, int) { out += "text"; }
};
template <>
struct type_text<bytes> {
  static void put(std::string& out, int) { out += "bytes"; }
};
template <>
struct type_text<none> {
  static void put(std::string& out, int) { out += "none"; }
};

template <class T>
void put_type(std::string& out, int depth) {
  if (depth == most_type_depth)
    out += "...";
  else
    type_text<T>::put(out, depth + 1);
}

template <class T>
std::string type_text_of() {
  std::string out;
  put_type<T>(out, 0);
  return out;
}

} // namespace weir::detail
