// The hash table of a store's entries: the hot path of every get and put.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stores/kv/entry.hpp"

namespace weir::detail {

/// Open addressing with linear probing over (hash, pointer) slots, so that a
/// miss touches no entry, and removal without tombstones. Does not own the
/// entries. At most 3/4 full.
class entry_table {
public:
  entry_table() : slots_(16) {}

  /// The entry with this hash for which `is_it(entry)` holds, or null.
  template <class Predicate>
  entry* find(std::uint64_t hash, Predicate&& is_it) const {
    for (auto i = hash & mask(); slots_[i].of != nullptr;
         i = (i + 1) & mask())
      if (slots_[i].hash == hash && is_it(*slots_[i].of))
        return slots_[i].of;
    return nullptr;
  }

  /// @pre no entry of the same key is inside
  void insert(entry& x) {
    if ((size_ + 1) * 4 > slots_.size() * 3)
      grow();
    place({x.hash, &x});
    ++size_;
  }

  /// @pre `x` is inside
  void erase(const entry& x) noexcept {
    auto hole = x.hash & mask();
    while (slots_[hole].of != &x)
      hole = (hole + 1) & mask();
    // Close the hole with whatever behind it may lie there.
    for (auto i = (hole + 1) & mask(); slots_[i].of != nullptr;
         i = (i + 1) & mask()) {
      auto home = slots_[i].hash & mask();
      if (((i - home) & mask()) >= ((i - hole) & mask())) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = {};
    --size_;
  }

  std::size_t size() const noexcept { return size_; }

  /// To the room that its entries need.
  void shrink() {
    std::size_t least = 16;
    while ((size_ + 1) * 4 > least * 3)
      least *= 2;
    if (least < slots_.size())
      rebuild(least);
  }

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (auto& slot : slots_)
      if (slot.of != nullptr)
        visit(*slot.of);
  }

private:
  struct slot {
    std::uint64_t hash = 0;
    entry* of = nullptr;
  };

  std::size_t mask() const noexcept { return slots_.size() - 1; }

  void place(slot x) noexcept {
    auto i = x.hash & mask();
    while (slots_[i].of != nullptr)
      i = (i + 1) & mask();
    slots_[i] = x;
  }

  void grow() { rebuild(slots_.size() * 2); }

  void rebuild(std::size_t slots) {
    std::vector<slot> old(slots);
    old.swap(slots_);
    for (auto& slot : old)
      if (slot.of != nullptr)
        place(slot);
  }

  std::vector<slot> slots_;
  std::size_t size_ = 0;
};

} // namespace weir::detail
