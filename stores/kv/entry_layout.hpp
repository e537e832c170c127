// The memory of a store's entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "stores/kv/boxed_value.hpp"
#include "stores/kv/entry.hpp"
#include "weir/detail/store_core.hpp"

namespace weir::detail {

/// An entry, its value and its raw key are one piece of memory, in this order:
/// one allocation a key, and one place to look at. The value is there while the
/// entry is `present`.
class entry_layout {
public:
  /// @pre the ops outlive it
  explicit entry_layout(const value_ops& ops) noexcept;

  /// Bytes of an entry without its key.
  std::size_t size() const noexcept { return key_at_; }

  /// Without a value. `number` is the store's, the first byte of the raw key.
  entry* make(store_core* owner, int number, std::string_view key,
              std::uint64_t hash) const;
  /// Destroys the value too.
  void free(entry* x) const noexcept;

  void* value(entry& x) const noexcept {
    return reinterpret_cast<char*>(&x) + value_at_;
  }
  const void* value(const entry& x) const noexcept {
    return reinterpret_cast<const char*>(&x) + value_at_;
  }
  std::string_view raw_key(const entry& x) const noexcept {
    return {reinterpret_cast<const char*>(&x) + key_at_, x.key_size};
  }
  std::string_view key(const entry& x) const noexcept {
    return raw_key(x).substr(1);
  }

  /// Room for another value of this type.
  boxed_value box() const { return boxed_value{*ops_}; }

  /// Moves from `value`.
  void set(entry& x, void* value) const;
  void construct(entry& x) const;
  void clear(entry& x) const noexcept;

private:
  std::align_val_t alignment() const noexcept;

  const value_ops* ops_;
  /// From an entry's begin.
  std::size_t value_at_;
  std::size_t key_at_;
};

} // namespace weir::detail
