// A record that owns its parts, for who reads topics.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

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

} // namespace weir
