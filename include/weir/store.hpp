// A task's handle to one of its stores.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/detail/key_order.hpp"
#include "weir/detail/store_core.hpp"
#include "weir/detail/task_parts.hpp"
#include "weir/name.hpp"

namespace weir {

namespace detail {

/// What the parameters of a store have to be, said when they are not.
template <class K, class F>
struct checked_store {
  static_assert(key_type<K>,
                "this type cannot be the key of a store: its weir::serde does "
                "not promise is_key (equal keys have equal bytes, which sort "
                "as the keys do)");
  static_assert(has_format<F>,
                "the value type of this store has no weir::serde: write "
                "WEIR_FIELDS(Value, field, ...) beside it, or specialise "
                "weir::serde<Value>, or name a format such as "
                "weir::json<Value>");
  static_assert(!holds_views<type_of<F>> && !holds_views<K>,
                "what a store keeps owns its text: std::string, not "
                "std::string_view");
  static_assert(std::is_default_constructible_v<type_of<F>> &&
                    std::is_copy_constructible_v<type_of<F>> &&
                    std::is_copy_assignable_v<type_of<F>>,
                "values are decoded into a default-constructed Value and "
                "copied: make it default-constructible and copyable");
};

} // namespace detail

/// A durable map that belongs to one task. Changes are seen by the task at
/// once, by all others with the commit; a record that fails takes its own back.
/// On the task's thread.
///
/// A pointer or reference to a value is valid until the next call on any store
/// of the task.
///
/// Scans go in the order of the keys, over the store as it was at the call:
/// what `fn` puts and erases is not met. `fn` is called with (const K&, const
/// V&) and ends the scan by answering false; it may answer nothing.
///
/// Each call may throw `store_error`: the database cannot be read, or holds
/// bytes of another type; after the task's last commit, also for a change.
/// That ends the incarnation.
template <class K, class F>
class kv_store : private detail::checked_store<K, F> {
public:
  using V = detail::type_of<F>;

  /// For the library: `weir::use<x>` opens it.
  explicit kv_store(detail::store_core& core) noexcept : core_(&core) {}
  kv_store(detail::task_parts& task, const part& of)
      : core_(&task.open_store(of)) {}

  // -- one key

  /// The current value, or null.
  const V* find(param<K> key) {
    return static_cast<const V*>(detail::find(*core_, bytes(key)));
  }
  std::optional<V> get(param<K> key) {
    auto* x = find(key);
    return x != nullptr ? std::optional<V>{*x} : std::nullopt;
  }
  bool contains(param<K> key) { return find(key) != nullptr; }

  /// The value to be changed in place, made if there is none; it counts as
  /// changed.
  V& operator[](param<K> key) {
    return *static_cast<V*>(detail::change(*core_, bytes(key)));
  }
  void put(param<K> key, V value) { detail::put(*core_, bytes(key), &value); }
  /// Not an error if there is no such key.
  void erase(param<K> key) { detail::erase(*core_, bytes(key)); }

  // -- several

  /// Values in the order of the keys.
  template <class Keys>
  std::vector<std::optional<V>> get_many(const Keys& keys) {
    std::vector<std::optional<V>> out;
    for (auto& key : keys)
      out.push_back(get(key));
    return out;
  }
  std::vector<std::optional<V>> get_many(std::initializer_list<K> keys) {
    return get_many<std::initializer_list<K>>(keys);
  }
  /// Takes pairs, such as a map or a vector of (key, value).
  template <class Entries>
  void put_many(const Entries& entries) {
    for (auto& [key, value] : entries)
      put(key, value);
  }
  void put_many(std::initializer_list<std::pair<K, V>> entries) {
    put_many<std::initializer_list<std::pair<K, V>>>(entries);
  }

  // -- scans

  template <class Fn>
  void for_each(Fn&& fn) {
    visit<Fn> each{this, fn};
    detail::scan(*core_, {}, std::nullopt, &each, each.call);
  }
  /// [from, to)
  template <class Fn>
  void range(param<K> from, param<K> to, Fn&& fn) {
    std::string first{bytes(from)}, end{bytes(to)};
    visit<Fn> each{this, fn};
    detail::scan(*core_, first, end, &each, each.call);
  }
  /// From `from` to the end.
  template <class Fn>
  void range_from(param<K> from, Fn&& fn) {
    std::string first{bytes(from)};
    visit<Fn> each{this, fn};
    detail::scan(*core_, first, std::nullopt, &each, each.call);
  }
  /// The keys that start with this text, or with this first part.
  template <class Fn>
  void prefix(param<typename detail::first_part<K>::type> start, Fn&& fn) {
    using part = typename detail::first_part<K>::type;
    static_assert(!std::is_same_v<part, K> || std::is_same_v<K, std::string>,
                  "prefix is for text and for the first part of a composite");
    std::string first;
    if constexpr (std::is_same_v<part, K>)
      first = start;
    else
      detail::key_order<part>::put_part(part{start}, first);
    visit<Fn> each{this, fn};
    detail::scan_prefix(*core_, first, &each, each.call);
  }

  // -- the last applied commit

  std::optional<V> committed(param<K> key) {
    std::optional<V> out{std::in_place};
    if (!detail::committed(*core_, bytes(key), &*out))
      out.reset();
    return out;
  }
  template <class Fn>
  void for_each_committed(Fn&& fn) {
    visit<Fn> each{this, fn};
    detail::scan_committed(*core_, &each, each.call);
  }

  // -- for on_check

  /// Visits (const K&, const V*), null = erased, for each key that changed
  /// since the last seal, in the order of the first change. `fn` may not change
  /// this store.
  template <class Fn>
  void for_each_changed(Fn&& fn) const {
    struct context {
      const kv_store* self;
      std::remove_reference_t<Fn>& fn;
      K key{};
    } each{this, fn, {}};
    detail::visit_changed(
        *core_, &each, [](void* x, std::string_view key, const void* value) {
          auto& each = *static_cast<context*>(x);
          each.self->read_key(key, each.key);
          each.fn(std::as_const(each.key), static_cast<const V*>(value));
          return true;
        });
  }

private:
  /// The function of a scan, with the key that it is given.
  template <class Fn>
  struct visit {
    static_assert(std::is_invocable_v<Fn&, const K&, const V&>,
                  "a scan calls its function with (const Key&, const Value&)");
    const kv_store* self;
    std::remove_reference_t<Fn>& fn;
    K key{};

    visit(const kv_store* self, std::remove_reference_t<Fn>& fn)
        : self(self), fn(fn) {}
    static bool call(void* x, std::string_view key, const void* value) {
      auto& each = *static_cast<visit*>(x);
      each.self->read_key(key, each.key);
      auto& now = *static_cast<const V*>(value);
      if constexpr (std::is_void_v<decltype(each.fn(std::as_const(each.key),
                                                    now))>) {
        each.fn(std::as_const(each.key), now);
        return true;
      } else {
        return static_cast<bool>(each.fn(std::as_const(each.key), now));
      }
    }
  };

  void read_key(std::string_view bytes, K& key) const {
    if (!detail::key_order<K>::get(bytes, key))
      detail::throw_undecodable_key(*core_, bytes);
  }

  std::string_view bytes(param<K> key) {
    if constexpr (std::is_convertible_v<param<K>, std::string_view>) {
      return key;
    } else {
      scratch_.clear();
      detail::key_order<K>::put(key, scratch_);
      return scratch_;
    }
  }

  detail::store_core* core_;
  std::string scratch_;
};

struct store_options {
  /// Its keys are not those of the records: a total, an index by another field.
  /// Else a key belongs into the task that has the records with that key, or
  /// with its first part: `get` finds it there, and the test driver refuses it
  /// anywhere else.
  bool local = false;
};

/// A store of a job: a typed constant at namespace scope.
///
///   inline constexpr weir::store<std::string, quote> quotes{"quotes"};
template <class K, class V>
struct store : private detail::checked_store<K, V> {
  static constexpr role kind = role::store;
  using handle = kv_store<K, V>;
  using key_type = K;
  using value_format = V;
  weir::name name;
  store_options options;
  constexpr store(weir::name name, store_options options = {})
      : name(name), options(options) {}
};

} // namespace weir
