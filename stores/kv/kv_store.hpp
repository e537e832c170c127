// A task's handle to one of its key-value stores.
#pragma once

#include <concepts>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stores/kv/kv_map.hpp"

namespace weir {

/// A durable map from K to V that belongs to one task. Changes are visible to
/// the task at once, and to everybody else, together with the task's outputs
/// and input positions, when its commit succeeds; until then a crash takes all
/// of them back.
///
/// A copyable handle: made by the task's `store<K, V>("name")`, valid as long
/// as the task object, for use on the task's thread only.
///
/// Keys of type std::string are looked up by std::string_view. Scans go in the
/// order of the encoded keys: numbers by value, strings and bytes as unsigned
/// bytes. A scan sees the store as it was when the scan was called; its
/// callback is `(const K&, const V&)`, answers void or false to stop, and may
/// put and erase. Every call may throw `store_error`, which ends the task's
/// incarnation (stores/kv/store_error.hpp).
template <class K, class V>
class kv_store {
public:
  using key_view = typename key_traits<K>::view;

  explicit kv_store(kv_map<K, V>& map) noexcept : map_(&map) {}

  /// The value, or null. Valid until the next call on any store of the task:
  /// copy what you change.
  const V* find(key_view key) { return map_->find(key); }

  bool contains(key_view key) { return find(key) != nullptr; }

  std::optional<V> get(key_view key) {
    auto* value = find(key);
    return value != nullptr ? std::optional<V>{*value} : std::nullopt;
  }

  /// Values in the order of the keys.
  template <class Keys>
  std::vector<std::optional<V>> get_many(const Keys& keys) {
    std::vector<std::optional<V>> out;
    out.reserve(std::size(keys));
    for (auto& key : keys)
      out.push_back(get(key));
    return out;
  }
  std::vector<std::optional<V>> get_many(std::initializer_list<K> keys) {
    return get_many<std::initializer_list<K>>(keys);
  }

  void put(key_view key, V value) { map_->put(key, std::move(value)); }

  /// Takes pairs, such as a map or a vector of (key, value).
  template <class Entries>
  void put_many(const Entries& entries) {
    for (auto& [key, value] : entries)
      put(key, value);
  }
  void put_many(std::initializer_list<std::pair<K, V>> entries) {
    put_many<std::initializer_list<std::pair<K, V>>>(entries);
  }

  /// Not an error if there is no such key.
  void erase(key_view key) { map_->erase(key); }

  // -- scans

  /// [from, to)
  template <class Fn>
  void range(const K& from, const K& to, Fn&& fn) {
    map_->scan(&from, &to, fn);
  }
  /// From `from` to the end.
  template <class Fn>
  void range_from(const K& from, Fn&& fn) {
    map_->scan(&from, nullptr, fn);
  }
  template <class Fn>
  void for_each(Fn&& fn) {
    map_->scan(nullptr, nullptr, fn);
  }
  /// The keys that start with `start`.
  template <class Fn>
  requires std::same_as<K, std::string>
  void prefix(std::string_view start, Fn&& fn) { map_->scan_prefix(start, fn); }

  // -- the committed view

  /// The value as of the last commit that was applied.
  std::optional<V> committed(key_view key) { return map_->committed(key); }
  template <class Fn>
  void committed_range(const K& from, const K& to, Fn&& fn) {
    map_->scan_committed(&from, &to, fn);
  }
  template <class Fn>
  void for_each_committed(Fn&& fn) {
    map_->scan_committed(nullptr, nullptr, fn);
  }

  // -- for validators

  /// Visits `(const K&, const V*)`, null = erased, for each key that changed
  /// since the last commit was sealed. `fn` may not change this store.
  template <class Fn>
  void for_each_changed(Fn&& fn) const {
    map_->for_each_changed(fn);
  }

private:
  kv_map<K, V>* map_;
};

} // namespace weir
