// A record that owns its parts, for who reads topics.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/detail/export.hpp"
#include "weir/detail/store_core.hpp"
#include "weir/format.hpp"
#include "weir/record.hpp"

namespace weir {

/// One record of a topic<K, V>.
template <class K, class V>
struct event {
  value_of<K> key{};
  /// None = a tombstone.
  std::optional<value_of<V>> value;
  time_point timestamp{};
  position at;
  /// Names and values.
  std::vector<std::pair<std::string, std::string>> headers;
};

namespace detail {

/// A record without its types.
struct raw_event {
  std::optional<std::string> key;
  std::optional<std::string> value;
  time_point timestamp{};
  position at;
  std::vector<std::pair<std::string, std::string>> headers;
};

WEIR_EXPORT raw_event copy_of(const record& x);

/// The error names the place.
WEIR_EXPORT error undecodable(std::string_view topic, const position& at,
                              const error& why);

/// Errors: `bad_format`, those of the format.
template <class F>
result<value_of<F>> decode_side(const std::optional<std::string>& in) {
  if constexpr (std::is_same_v<F, none>) {
    return none{};
  } else {
    if constexpr (side<F>::optional) {
      if (!in)
        return value_of<F>{};
    }
    auto out = decode<typename side<F>::inner>(in ? *in : "");
    if (!out)
      return fail(out.error());
    return value_of<F>{std::move(*out)};
  }
}

/// Errors: `bad_format` and those of the formats, with the record's place.
template <class K, class V>
result<event<K, V>> decode_event(raw_event&& raw, std::string_view topic) {
  static_assert(!holds_views<value_of<K>> && !holds_views<value_of<V>>,
                "what is read owns its text: read with a definition of the "
                "same name whose types have std::string for "
                "std::string_view");
  event<K, V> out;
  auto key = decode_side<K>(raw.key);
  if (!key)
    return fail(undecodable(topic, raw.at, key.error()));
  out.key = std::move(*key);
  if (raw.value) {
    auto value = decode_side<V>(raw.value);
    if (!value)
      return fail(undecodable(topic, raw.at, value.error()));
    out.value = std::move(*value);
  }
  out.timestamp = raw.timestamp;
  out.at = raw.at;
  out.headers = std::move(raw.headers);
  return out;
}

} // namespace detail

} // namespace weir
