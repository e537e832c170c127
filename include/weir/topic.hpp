// The topics of a job: typed constants at namespace scope, each written once.
//
//   inline constexpr weir::input<std::string, weir::json<tick>> ticks{"ticks"};
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include "weir/detail/sides.hpp"
#include "weir/detail/text_ops.hpp"
#include "weir/name.hpp"
#include "weir/record.hpp"

namespace weir {

namespace detail {

template <class F>
inline constexpr bool has_side_format = has_format<typename side<F>::inner>;
template <>
inline constexpr bool has_side_format<none> = true;

/// What the parameters of a topic have to be, said when they are not.
template <class K, class V>
struct checked_topic {
  static_assert(has_side_format<K>,
                "the key type of this topic has no weir::serde: write "
                "WEIR_FIELDS(Key, field, ...) beside it, or specialise "
                "weir::serde<Key>, or name a format such as weir::json<Key>");
  static_assert(has_side_format<V>,
                "the value type of this topic has no weir::serde: write "
                "WEIR_FIELDS(Value, field, ...) beside it, or specialise "
                "weir::serde<Value>, or name a format such as "
                "weir::json<Value>");
};

} // namespace detail

/// What all topics have. K and V are types with a serde, formats (json<T>),
/// std::optional of one (it may be absent), or none (it is not there, or not
/// looked at).
template <class K, class V>
struct topic : private detail::checked_topic<K, V> {
  using key_format = K;
  using value_format = V;
  weir::name name;

protected:
  constexpr explicit topic(weir::name name) : name(name) {}
};

struct input_options {
  /// Of a record that does not decode, or that the task rejects; none = what
  /// `--on-bad-record` says.
  std::optional<bad_record_policy> on_bad{};
};

/// A topic to read. All inputs of a job have the same number of partitions
/// (rule R11); partition p of each goes to task p.
template <class K, class V>
struct input : topic<K, V> {
  static constexpr role kind = role::input;
  input_options options;
  constexpr input(weir::name name, input_options options = {})
      : topic<K, V>(name), options(options) {}
};

/// What an emit may set beside key and value.
struct emit_options {
  /// None = that of the record being handled; else the producer's clock.
  std::optional<time_point> timestamp{};
  /// None = murmur2 of the key, as Kafka's own clients; of a record without a
  /// key, the task's own.
  std::optional<std::int32_t> partition{};
  std::span<const header> headers{};
};

/// A task's handle to an output: on the task's thread, while the task lives.
/// Exactly-once: what is emitted becomes visible with the commit that covers
/// its input; at-least-once: at once. It is undone with its record. What is too
/// large for its topic fails the task, not the call. In a constructor, and
/// after the task's last commit, a call throws `store_error`.
template <class K, class V>
class emitter {
  static constexpr bool keyed = !std::is_same_v<K, none>;
  static constexpr bool valued = !std::is_same_v<V, none>;

public:
  using key_param = param<K>;
  using value_param = param<V>;

  /// For the library: `weir::use<x>` opens it.
  emitter(detail::task_parts& task, const part& of)
      : task_(&task), topic_(task.open_topic(of)) {}
  emitter(const emitter&) = delete;
  emitter& operator=(const emitter&) = delete;

  void emit(key_param key, value_param value,
            const emit_options& how = {}) requires(keyed&& valued) {
    task_->emit(topic_, key_.write(key), value_.write(value), how);
  }
  void emit(value_param value,
            const emit_options& how = {}) requires(!keyed && valued) {
    task_->emit(topic_, {}, value_.write(value), how);
  }
  void emit(key_param key,
            const emit_options& how = {}) requires(keyed && !valued) {
    task_->emit(topic_, key_.write(key), {}, how);
  }
  /// A tombstone: erases the key in a compacted topic.
  void erase(key_param key, const emit_options& how = {}) requires keyed {
    task_->emit(topic_, key_.write(key), {}, how);
  }

private:
  detail::task_parts* task_;
  int topic_;
  detail::side_writer<K> key_;
  detail::side_writer<V> value_;
};

/// A topic to write; made with the inputs' number of partitions if it is
/// missing.
template <class K, class V>
struct output : topic<K, V> {
  static constexpr role kind = role::output;
  using handle = emitter<K, V>;
  constexpr output(weir::name name) : topic<K, V>(name) {}
};

struct internal_options {
  /// The topic itself and every internal topic of the job may feed it too.
  bool loop = false;
};

/// A topic that the job writes and reads back, to re-key: `<job>-<name>`, made
/// with the inputs' number of partitions. Always in the transaction, in both
/// guarantees, so that what it feeds stays exactly once; what is emitted is read
/// after the commit. Time and headers go with the record unless told.
template <class K, class V>
struct internal : topic<K, V> {
  static constexpr role kind = role::internal;
  using handle = emitter<K, V>;
  from sources;
  internal_options options;
  constexpr internal(weir::name) = delete; // say what feeds it: weir::from{...}
  constexpr internal(weir::name name, from sources,
                     internal_options options = {})
      : topic<K, V>(name), sources(sources), options(options) {}
};

} // namespace weir
