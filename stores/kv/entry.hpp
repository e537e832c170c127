// One key of a store in memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::detail {

class store_core;

/// States of an entry, and what leads from one to the other:
///
///     load ──► clean ──put/erase──► dirty ──seal──► frozen ──apply──► clean
///                ▲                    ▲                │
///                └───────undo─────────┘       put/erase: frozen and dirty
///
/// Dirty or frozen entries are the overlay and stay; clean ones are the cache
/// and may be evicted. The address never changes. Made and deleted by its
/// store, in one piece with the value and the raw key, which lie behind it.
struct entry {
  explicit entry(store_core* owner = nullptr, std::uint64_t hash = 0,
                 std::size_t key_size = 0) noexcept
      : owner(owner), hash(hash), key_size(key_size) {}

  bool in_overlay() const noexcept { return dirty || frozen; }

  store_core* owner;
  /// Neighbours in the ring of clean entries; null outside of it.
  entry* previous = nullptr;
  entry* next = nullptr;
  std::uint64_t hash;
  /// Of the raw key, with the store's number.
  std::size_t key_size;
  /// `entry_hash` of what the last seal or the backend has, 0 = nothing; only
  /// meaningful if `known`.
  std::uint64_t committed_hash = 0;
  /// The record (see `store_context`) for which undo was last prepared.
  std::uint64_t undo_mark = 0;
  /// Bytes for which this entry counts.
  std::size_t charge = 0;
  /// There is a value; else the key is known to be absent.
  bool present = false;
  bool known = false;
  bool dirty = false;
  bool frozen = false;
  /// Used since the eviction last came by.
  bool referenced = false;
};

} // namespace weir::detail
