// Feeding topics and reading them, from any program.
//
//   auto kafka = weir::client::open({.kafka = "127.0.0.1:9092"});
//   kafka->produce(lines, "to be or not to be");
//   for (auto& x : *kafka->consume(totals).rest())
//     std::cout << x.key << ": " << *x.value << '\n';
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/detail/export.hpp"
#include "weir/detail/sides.hpp"
#include "weir/event.hpp"
#include "weir/settings.hpp"
#include "weir/topic.hpp"

namespace weir {

namespace detail {

class raw_reader {
public:
  virtual ~raw_reader() = default;
  virtual result<std::optional<raw_event>> next(duration patience) = 0;
  virtual result<std::vector<raw_event>> rest() = 0;
};

class topic_io;

} // namespace detail

/// Where a reader begins in each partition.
enum class start_at { beginning, end };

/// Committed records of all partitions of a topic, each partition in order.
/// One thread. Holds what it needs of the node or client that it came from.
template <class K, class V>
class reader {
public:
  reader(result<std::unique_ptr<detail::raw_reader>> from, std::string topic)
      : from_(std::move(from)), topic_(std::move(topic)) {}

  /// [blocks] The next record, or nothing if none came within `patience`.
  /// Errors: `not_found` (no such topic), `offset_out_of_range` (deleted before
  /// it was read), `bad_format` naming the record, which is passed; those of
  /// the stream system.
  result<std::optional<event<K, V>>> next(duration patience) {
    if (!from_)
      return fail(from_.error());
    auto raw = (*from_)->next(patience);
    if (!raw)
      return fail(raw.error());
    if (!*raw)
      return std::optional<event<K, V>>{};
    auto out = detail::decode_event<K, V>(std::move(**raw), topic_);
    if (!out)
      return fail(out.error());
    return std::optional<event<K, V>>{std::move(*out)};
  }
  /// [blocks] All from here to the ends that the partitions have now, partition
  /// after partition. Errors: as `next`; what was read before one is lost.
  result<std::vector<event<K, V>>> rest() {
    if (!from_)
      return fail(from_.error());
    auto all = (*from_)->rest();
    if (!all)
      return fail(all.error());
    std::vector<event<K, V>> out;
    for (auto& raw : *all) {
      auto x = detail::decode_event<K, V>(std::move(raw), topic_);
      if (!x)
        return fail(x.error());
      out.push_back(std::move(*x));
    }
    return out;
  }

private:
  result<std::unique_ptr<detail::raw_reader>> from_;
  std::string topic_;
};

/// What nodes and clients have in common. Thread-safe; every call may block.
/// Records go to the partition of their key by murmur2, as with Kafka's own
/// clients; those without a key go round.
class WEIR_EXPORT topics {
public:
  /// Returns when the record is durable. After a crash of this process before
  /// that it may be there or not.
  /// Errors: `not_found` (no such topic), `too_large`, `disconnected`,
  /// `timed_out` (it may be written all the same), `closed`.
  template <class K, class V>
  result<position>
  produce(const topic<K, V>& to, param<K> key, param<V> value,
          const emit_options& how = {}) requires(!std::is_same_v<K, none> &&
                                                 !std::is_same_v<V, none>) {
    detail::side_writer<K> keys;
    detail::side_writer<V> values;
    return send(to.name, keys.write(key), values.write(value), how);
  }
  /// Of a topic without keys, or without values.
  template <class V>
  result<position> produce(const topic<none, V>& to, param<V> value,
                           const emit_options& how = {}) {
    detail::side_writer<V> values;
    return send(to.name, {}, values.write(value), how);
  }
  template <class K>
  result<position> produce(const topic<K, none>& to, param<K> key,
                           const emit_options& how = {}) {
    detail::side_writer<K> keys;
    return send(to.name, keys.write(key), {}, how);
  }
  /// A tombstone.
  template <class K, class V>
  result<position> erase(const topic<K, V>& from, param<K> key,
                         const emit_options& how = {}) {
    detail::side_writer<K> keys;
    return send(from.name, keys.write(key), {}, how);
  }

  /// Leaves the record to the producer, which collects; waits only while that
  /// has no room. `flush` tells whether it was written.
  /// Errors: as `produce`.
  template <class K, class V>
  result<void>
  enqueue(const topic<K, V>& to, param<K> key, param<V> value,
          const emit_options& how = {}) requires(!std::is_same_v<K, none> &&
                                                 !std::is_same_v<V, none>) {
    detail::side_writer<K> keys;
    detail::side_writer<V> values;
    return post(to.name, keys.write(key), values.write(value), how);
  }
  template <class V>
  result<void> enqueue(const topic<none, V>& to, param<V> value,
                       const emit_options& how = {}) {
    detail::side_writer<V> values;
    return post(to.name, {}, values.write(value), how);
  }
  template <class K>
  result<void> enqueue(const topic<K, none>& to, param<K> key,
                       const emit_options& how = {}) {
    detail::side_writer<K> keys;
    return post(to.name, keys.write(key), {}, how);
  }
  /// Returns when all that was enqueued before is durable.
  /// Errors: the first of a record since the last flush, `timed_out` (they may
  /// be written all the same).
  result<void> flush(duration patience = duration{30'000});

  template <class K, class V>
  reader<K, V> consume(const topic<K, V>& from,
                       start_at where = start_at::beginning) {
    return {open(from.name, where), std::string{std::string_view{from.name}}};
  }

  /// Errors: `already_exists`, those of the stream system.
  template <class K, class V>
  result<void> create(const topic<K, V>& what, int partitions) {
    return create_topic(what.name, partitions);
  }

protected:
  topics() = default;
  explicit topics(std::shared_ptr<detail::topic_io> io) : io_(std::move(io)) {}

  std::shared_ptr<detail::topic_io> io_;

private:
  result<position> send(std::string_view topic, const detail::raw_side& key,
                        const detail::raw_side& value, const emit_options& how);
  result<void> post(std::string_view topic, const detail::raw_side& key,
                    const detail::raw_side& value, const emit_options& how);
  result<std::unique_ptr<detail::raw_reader>> open(std::string_view topic,
                                                   start_at where);
  result<void> create_topic(std::string_view topic, int partitions);
};

/// Feeds and reads topics by their declared names, without a job. An embedded
/// directory can be open in one process only; a node of the same process shares
/// it. What was enqueued and not flushed when it goes may be lost.
class WEIR_EXPORT client : public topics {
public:
  /// [blocks] `kafka` and `kafka_properties`, or `data_directory`, are what is
  /// looked at. Errors: `locked` naming the process that has the directory,
  /// `bad_argument`, `io_error`. Brokers that are away show in the first call.
  static result<client> open(const settings& where);

private:
  using topics::topics;
};

} // namespace weir
