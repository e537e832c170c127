// One key of a store in memory, as far as its type does not matter.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

class store_base;

/// States of an entry, and what leads from one to the other:
///
///     load ──► clean ──put/erase──► dirty ──seal──► frozen ──apply──► clean
///                ▲                    ▲                │
///                └───────undo─────────┘       put/erase: frozen and dirty
///
/// Dirty or frozen entries are the overlay and stay; clean ones are the cache
/// and may be evicted. The address never changes. Owned by its store's map.
struct entry_base {
  explicit entry_base(store_base* owner = nullptr,
                      std::uint64_t hash = 0) noexcept
      : owner(owner), hash(hash) {}

  bool in_overlay() const noexcept { return dirty || frozen; }

  store_base* owner;
  /// Neighbours in the ring of clean entries; null outside of it.
  entry_base* previous = nullptr;
  entry_base* next = nullptr;
  std::uint64_t hash;
  /// `entry_hash` of what the last seal or the backend has, 0 = nothing; only
  /// meaningful if `known`.
  std::uint64_t committed_hash = 0;
  /// The record (see `store_context`) for which undo was last prepared.
  std::uint64_t undo_mark = 0;
  /// Bytes for which this entry counts.
  std::size_t charge = 0;
  bool known = false;
  bool dirty = false;
  bool frozen = false;
  /// Used since the eviction last came by.
  bool referenced = false;
};

} // namespace weir
