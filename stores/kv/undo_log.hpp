// What the current record has changed in a store, as it was before.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "stores/kv/boxed_value.hpp"
#include "stores/kv/entry_layout.hpp"

namespace weir::detail {

/// What becomes of an entry's value when it is noted: the one that overwrites
/// it can have it, the one that changes it in place needs it.
enum class old_value { moves, stays };

/// Keeps the room of its values from one record to the next.
class undo_log {
public:
  struct item {
    entry* target;
    boxed_value old;
    bool was_dirty;
  };

  bool empty() const noexcept { return size_ == 0; }
  /// In the order of the changes.
  std::span<item> items() noexcept { return {items_.data(), size_}; }
  std::span<const item> items() const noexcept {
    return {items_.data(), size_};
  }

  /// @pre `x` is not noted since the last `clear`
  void note(entry& x, const entry_layout& layout, old_value what) {
    if (size_ == items_.size())
      items_.push_back({nullptr, layout.box(), false});
    auto& next = items_[size_];
    if (x.present && what == old_value::stays) {
      next.old.copy_from(layout.value(x));
    } else if (x.present) {
      next.old.move_from(layout.value(x));
      layout.clear(x);
    }
    next.target = &x;
    next.was_dirty = x.dirty;
    ++size_;
  }

  void clear() noexcept {
    for (auto& each : items())
      each.old.reset();
    size_ = 0;
    // A record that changed very much does not keep its room.
    while (items_.size() > kept)
      items_.pop_back();
  }

  void release() noexcept {
    clear();
    items_.clear();
    items_.shrink_to_fit();
  }

private:
  static constexpr std::size_t kept = 64;

  std::vector<item> items_;
  std::size_t size_ = 0;
};

} // namespace weir::detail
