// A task's handle to one of its outputs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "weir/serde.hpp"

namespace weir {

class task_core;

namespace detail {

/// What a record that is emitted has.
enum class emitted { key_and_value, key, value };

void emit(task_core& core, int output, emitted what, std::string_view key,
          std::string_view value, std::int64_t timestamp,
          std::int32_t partition);

/// The bytes of `x`: a string's own, or encoded into `scratch`.
template <class T>
std::string_view bytes_of(const T& x, std::string& scratch) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return x;
  } else {
    static_assert(has_serde<T>, "this output's type has no serde: specialise "
                                "weir::serde<T> (weir/serde.hpp)");
    scratch.clear();
    serde<T>{}.encode(x, scratch);
    return scratch;
  }
}

} // namespace detail

/// What an emit may set beside key and value.
struct emit_options {
  /// Milliseconds since the epoch; -1 = that of the record being processed.
  std::int64_t timestamp = -1;
  /// -1 = by murmur2 of the key, as Kafka's own producers do.
  std::int32_t partition = -1;
};

/// Sends records to one output of the job. Exactly-once: they become visible
/// with the commit that covers their input; at-least-once: at once. Copyable;
/// for use on the task's thread while the task lives. An output that cannot be
/// sent (too large for its topic) fails the task, not the call; after the
/// task's last commit a call throws `store_error`.
template <class Key, class Value>
class output {
public:
  output(task_core& core, int index) : core_(&core), index_(index) {}

  template <class K = Key, class V = Value>
  void emit(const K& key, const V& value, emit_options options = {}) {
    detail::emit(*core_, index_, detail::emitted::key_and_value,
                 detail::bytes_of(key, key_), detail::bytes_of(value, value_),
                 options.timestamp, options.partition);
  }
  /// A record without a value: erases the key in a compacted topic.
  void emit_tombstone(const Key& key, emit_options options = {}) {
    detail::emit(*core_, index_, detail::emitted::key,
                 detail::bytes_of(key, key_), {}, options.timestamp,
                 options.partition);
  }
  /// A record without a key goes to the task's own partition.
  void emit_keyless(const Value& value, emit_options options = {}) {
    detail::emit(*core_, index_, detail::emitted::value, {},
                 detail::bytes_of(value, value_), options.timestamp,
                 options.partition);
  }

private:
  task_core* core_;
  int index_;
  std::string key_;
  std::string value_;
};

} // namespace weir
