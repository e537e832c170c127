// A typed key-value store of a task: overlay and cache over the database.
// Users hold it through `kv_store` (stores/kv/kv_store.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/base/assert.hpp"
#include "stores/kv/key_traits.hpp"
#include "stores/kv/serde.hpp"
#include "stores/kv/store_base.hpp"

namespace weir {

/// Values are kept decoded; each is encoded once a commit, at the seal.
/// Owned by its `task_state`, on the task's thread.
///
/// Every call may throw `store_error` (stores/kv/store_error.hpp).
template <class K, class V>
class kv_map final : public store_base {
  static_assert(has_serde<K>,
                "the key type of this store has no serde: specialise "
                "weir::serde<Key> (stores/kv/serde.hpp)");
  static_assert(!has_serde<K> || has_key_serde<K>,
                "this type cannot be a key: its weir::serde<Key> does not "
                "promise `is_key` (equal keys have equal bytes, sorted)");
  static_assert(has_serde<V>,
                "the value type of this store has no serde: specialise "
                "weir::serde<Value>, by hand or from weir::json_serde<Value> "
                "(stores/kv/json_serde.hpp), or include "
                "stores/kv/protobuf_serde.hpp for messages");
  static_assert(std::is_default_constructible_v<V> &&
                    std::is_copy_constructible_v<V> &&
                    std::is_copy_assignable_v<V>,
                "values are decoded into a default-constructed Value and "
                "copied: make it default-constructible and copyable");

public:
  using keys = key_traits<K>;
  using key_view = typename keys::view;

  kv_map(store_context& context, int number, std::string name)
      : store_base(context, number, std::move(name)) {}
  ~kv_map() override {
    table_.for_each([](entry_base& x) { delete &typed(x); });
  }

  /// The current value, or null. Valid until the next call on any store of the
  /// task.
  const V* find(key_view key) {
    auto& x = obtain(key);
    return x.value ? &*x.value : nullptr;
  }

  void put(key_view key, V value) {
    auto& x = prepare_change(key);
    x.value = std::move(value);
    set_charge(x, charge_of(x));
  }

  void erase(key_view key) {
    auto& x = prepare_change(key);
    x.value.reset();
    set_charge(x, charge_of(x));
  }

  /// The value as of the last applied commit.
  std::optional<V> committed(key_view key);

  /// Merged view of [from, to) in key order, see kv_scan.hpp. Null = open.
  template <class Fn>
  void scan(const K* from, const K* to, Fn&& fn);
  /// Keys whose encoding starts with `prefix`.
  template <class Fn>
  void scan_prefix(std::string_view prefix, Fn&& fn);
  /// The database's view of [from, to): the last applied commit.
  template <class Fn>
  void scan_committed(const K* from, const K* to, Fn&& fn);
  /// Visits (key, pointer to the value or null if erased) of what changed since
  /// the last seal, in the order of the first change. `fn` may not change this
  /// store.
  template <class Fn>
  void for_each_changed(Fn&& fn) const;

  void undo() override;
  void accept() override { undo_log_.clear(); }
  void visit_record(const seal_sink& visit) const override;
  void forget(entry_base& x) override {
    if (last_ == &x)
      last_ = nullptr;
    table_.erase(x);
    delete &typed(x);
  }

private:
  struct entry : entry_base {
    entry(store_base& owner, std::uint64_t hash, K key)
        : entry_base(&owner, hash), key(std::move(key)) {}
    K key;
    std::optional<V> value;
  };

  struct undo_item {
    entry* target;
    std::optional<V> value;
    bool was_dirty;
  };

  struct frame;

  static entry& typed(entry_base& x) noexcept { return static_cast<entry&>(x); }
  static const entry& typed(const entry_base& x) noexcept {
    return static_cast<const entry&>(x);
  }

  void encode_key(const entry_base& x, std::string& out) const override {
    keys::encode(typed(x).key, out);
  }
  bool encode_value(const entry_base& x, std::string& out) const override {
    auto& value = typed(x).value;
    if (!value)
      return false;
    auto before = out.size();
    serde<V>::encode(*value, out);
    note_size(out.size() - before);
    return true;
  }
  void note_size(std::size_t encoded) const noexcept {
    typical_size_ =
        typical_size_ == 0 ? encoded : (typical_size_ * 7 + encoded) / 8;
  }

  std::string raw_key(key_view key) const {
    std::string out(1, static_cast<char>(number()));
    keys::encode(key, out);
    return out;
  }

  /// Remembers the last entry: a put mostly follows the find of its key.
  entry* lookup(key_view key, std::uint64_t hash) {
    auto* x = table_.find(hash, [&](const entry_base& candidate) {
      return keys::equal(typed(candidate).key, key);
    });
    return last_ = static_cast<entry*>(x);
  }

  /// Only a second use counts as use: keys read once do not push out others.
  entry& obtain(key_view key) {
    auto* x = last_;
    if (x == nullptr || !keys::equal(x->key, key)) {
      auto hash = keys::hash(key);
      x = lookup(key, hash);
      if (x == nullptr)
        return load(key, hash);
    }
    x->referenced = true;
    return *x;
  }

  entry& load(key_view key, std::uint64_t hash);
  entry& insert(key_view key, std::uint64_t hash);
  entry& prepare_change(key_view key);
  void decode_value(std::string_view raw_key, std::string_view bytes,
                    V& out) const {
    if (!serde<V>::decode(bytes, out))
      throw_undecodable("value", raw_key);
  }
  void decode_key(std::string_view raw_key, K& out) const {
    if (!serde<K>::decode(raw_key.substr(1), out))
      throw_undecodable("key", raw_key);
  }
  template <class Fn>
  void merge(const std::string& from, const std::string& to, Fn&& fn);
  template <class Fn>
  static bool call(Fn& fn, const K& key, const V& value) {
    if constexpr (std::is_void_v<decltype(fn(key, value))>) {
      fn(key, value);
      return true;
    } else {
      return fn(key, value);
    }
  }

  /// Bytes for which an entry counts. A type whose size is not known counts as
  /// the usual size of its encoding.
  std::size_t charge_of(const entry& x) const {
    // Table slot, list element and what malloc keeps for itself.
    constexpr std::size_t overhead = 48;
    auto charge = sizeof(entry) + overhead;
    if constexpr (requires { serde<K>::weight(x.key); })
      charge += serde<K>::weight(x.key);
    if constexpr (requires { serde<V>::weight(*x.value); })
      charge += x.value ? serde<V>::weight(*x.value) : 0;
    else if constexpr (!std::is_trivially_copyable_v<V>)
      charge += x.value ? typical_size_ : 0;
    return charge;
  }

  std::vector<undo_item> undo_log_;
  entry* last_ = nullptr;
  mutable std::size_t typical_size_ = 0;
};

} // namespace weir

#include "stores/kv/kv_map_impl.hpp"
