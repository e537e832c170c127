// The slower paths of kv_map. Included by stores/kv/kv_map.hpp only.
#pragma once

#include <algorithm>
#include <unordered_map>

#include "stores/changelog/raw_key.hpp"
#include "stores/kv/kv_map.hpp"

namespace weir {

// -- loading and changing

template <class K, class V>
auto kv_map<K, V>::insert(key_view key, std::uint64_t hash) -> entry& {
  auto fresh = std::make_unique<entry>(*this, hash, keys::own(key));
  table_.insert(*fresh);
  return *(last_ = fresh.release());
}

template <class K, class V>
auto kv_map<K, V>::load(key_view key, std::uint64_t hash) -> entry& {
  key_scratch_.assign(1, static_cast<char>(number()));
  keys::encode(key, key_scratch_);
  std::optional<V> value;
  std::uint64_t committed_hash = 0;
  if (read(key_scratch_, value_scratch_)) {
    committed_hash = entry_hash(key_scratch_, value_scratch_);
    decode_value(key_scratch_, value_scratch_, value.emplace());
    note_size(value_scratch_.size());
  }
  auto& x = insert(key, hash);
  x.value = std::move(value);
  x.committed_hash = committed_hash;
  x.known = true;
  x.charge = charge_of(x);
  // Before the link, so that what find returns cannot be what is evicted.
  context_.make_room(x.charge);
  context_.link(x);
  return x;
}

template <class K, class V>
auto kv_map<K, V>::prepare_change(key_view key) -> entry& {
  if (context_.closed) [[unlikely]]
    throw_closed();
  entry* x = last_;
  if (x == nullptr || !keys::equal(x->key, key)) {
    auto hash = keys::hash(key);
    x = lookup(key, hash);
    if (x == nullptr)
      x = &insert(key, hash);
    else
      x->referenced = true;
  }
  for (auto* scan = scans_; scan != nullptr; scan = scan->outer())
    scan->before_change(*x);
  if (context_.recording && x->undo_mark != context_.record) {
    x->undo_mark = context_.record;
    if (undo_log_.empty())
      context_.touched.push_back(this);
    undo_log_.push_back({x, std::move(x->value), x->dirty});
  }
  if (!x->dirty)
    mark_dirty(*x);
  return *x;
}

template <class K, class V>
void kv_map<K, V>::undo() {
  WEIR_ASSERT(!scanning(), "a scan's callback may not undo");
  for (auto item = undo_log_.rbegin(); item != undo_log_.rend(); ++item) {
    auto& x = *item->target;
    x.value = std::move(item->value);
    set_charge(x, charge_of(x));
    if (!item->was_dirty)
      unmark_dirty(x); // may delete it
  }
  undo_log_.clear();
}

template <class K, class V>
void kv_map<K, V>::visit_record(const seal_sink& visit) const {
  std::string key, value;
  for (auto& item : undo_log_) {
    raw_key_of(*item.target, key);
    value.clear();
    std::optional<std::string_view> present;
    if (encode_value(*item.target, value))
      present = value;
    visit(key, present);
  }
}

template <class K, class V>
std::optional<V> kv_map<K, V>::committed(key_view key) {
  auto* x = lookup(key, keys::hash(key));
  if (x != nullptr && !x->in_overlay())
    return x->value;
  auto raw = raw_key(key);
  std::string bytes;
  if (!read(raw, bytes))
    return std::nullopt;
  std::optional<V> out;
  decode_value(raw, bytes, out.emplace());
  return out;
}

template <class K, class V>
template <class Fn>
void kv_map<K, V>::for_each_changed(Fn&& fn) const {
  for (auto* x : dirty_) {
    auto& changed = typed(*x);
    fn(std::as_const(changed.key),
       changed.value ? std::as_const(changed.value).operator->() : nullptr);
  }
}

// -- scans

/// Keeps the view of one scan as it was at the call: what its callback changes
/// is remembered here as it was before.
template <class K, class V>
struct kv_map<K, V>::frame final : store_base::scan_frame {
  struct old_state {
    bool in_overlay;
    std::optional<V> value;
  };

  using scan_frame::scan_frame;

  void before_change(const entry_base& x) override {
    if (!saved.contains(&x))
      saved.emplace(&x,
                    old_state{x.in_overlay(),
                              x.in_overlay() ? typed(x).value : std::nullopt});
  }
  const old_state* old(const entry_base& x) const {
    auto at = saved.find(&x);
    return at == saved.end() ? nullptr : &at->second;
  }

  std::unordered_map<const entry_base*, old_state> saved;
};

template <class K, class V>
template <class Fn>
void kv_map<K, V>::merge(const std::string& from, const std::string& to,
                         Fn&& fn) {
  if (from >= to)
    return;
  keep_order();
  frame view{*this};
  // The callback gets copies: it may change the very entry it looks at. New
  // entries of the overlay do not disturb `next`, and `view` hides them.
  K key{};
  V value{};
  auto next = overlay_order_.lower_bound(from);
  auto hidden = [&](const entry_base& x) {
    auto* old = view.old(x);
    return old != nullptr && !old->in_overlay;
  };
  auto emit = [&](const entry_base& x) {
    auto* old = view.old(x); // has no value if it was not in the overlay
    auto& current = old != nullptr ? old->value : typed(x).value;
    if (!current)
      return true;
    key = typed(x).key;
    value = *current;
    return call(fn, key, value);
  };
  auto emit_before = [&](std::string_view bound) {
    while (next != overlay_order_.end() && next->first < bound) {
      auto& x = *next->second;
      ++next;
      if (!emit(x))
        return false;
    }
    return true;
  };
  bool more = true;
  scan_database(from, to, [&](std::string_view raw, std::string_view bytes) {
    if (!(more = emit_before(raw)))
      return false;
    if (next != overlay_order_.end() && next->first == raw) {
      auto& x = *next->second;
      if (!hidden(x)) {
        ++next;
        return more = emit(x);
      }
    }
    decode_key(raw, key);
    decode_value(raw, bytes, value);
    return more = call(fn, key, value);
  });
  if (more)
    emit_before(to);
}

template <class K, class V>
template <class Fn>
void kv_map<K, V>::scan(const K* from, const K* to, Fn&& fn) {
  merge(from != nullptr ? raw_key(*from) : first_raw_key(),
        to != nullptr ? raw_key(*to) : end_raw_key(), fn);
}

template <class K, class V>
template <class Fn>
void kv_map<K, V>::scan_prefix(std::string_view prefix, Fn&& fn) {
  auto from = first_raw_key().append(prefix);
  merge(from, after_prefix(from), fn);
}

template <class K, class V>
template <class Fn>
void kv_map<K, V>::scan_committed(const K* from, const K* to, Fn&& fn) {
  auto first = from != nullptr ? raw_key(*from) : first_raw_key();
  auto end = to != nullptr ? raw_key(*to) : end_raw_key();
  if (first >= end)
    return;
  K key{};
  V value{};
  scan_database(first, end, [&](std::string_view raw, std::string_view bytes) {
    decode_key(raw, key);
    decode_value(raw, bytes, value);
    return call(fn, key, value);
  });
}

} // namespace weir
