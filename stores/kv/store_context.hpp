// What the stores of one task share: database, cache bound, the current record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/leveldb/backend.hpp"
#include "stores/kv/entry.hpp"

namespace weir::detail {

/// Owned by `task_state`, on its thread. Keeps the clean entries of all stores
/// in one ring and evicts by CLOCK (second chance), so that the bound is one
/// for the task and a hot store takes room from a cold one.
class store_context {
public:
  store_context(backend& database, std::size_t cache_bytes) noexcept
      : database(database), cache_bound_(cache_bytes) {
    ring_.previous = ring_.next = &ring_;
  }
  store_context(const store_context&) = delete;
  store_context& operator=(const store_context&) = delete;

  // -- the ring of clean entries

  /// Makes `x` clean: evictable, the last in turn.
  void link(entry& x) noexcept {
    x.previous = ring_.previous;
    x.next = &ring_;
    ring_.previous->next = &x;
    ring_.previous = &x;
    clean_bytes_ += x.charge;
  }
  void unlink(entry& x) noexcept {
    x.previous->next = x.next;
    x.next->previous = x.previous;
    x.previous = x.next = nullptr;
    clean_bytes_ -= x.charge;
  }
  /// Evicts clean entries until another one of `charge` bytes has room; at
  /// most all of them.
  void make_room(std::size_t charge);
  /// Evicts all of them.
  void evict_all();

  std::size_t clean_bytes() const noexcept { return clean_bytes_; }

  backend& database;
  /// Why changes are refused; null = they are not.
  const char* closed = nullptr;
  /// Charges of the dirty and frozen entries.
  std::size_t overlay_bytes = 0;

  // -- the current record

  /// Whether writes are prepared to be undone.
  bool recording = false;
  /// Counts the records begun.
  std::uint64_t record = 0;
  /// Stores that wrote something in the current record.
  std::vector<store_core*> touched;

private:
  std::size_t cache_bound_;
  std::size_t clean_bytes_ = 0;
  entry ring_;
};

} // namespace weir::detail
