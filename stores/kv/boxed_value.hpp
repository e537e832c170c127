// Room for one value whose type only its `value_ops` know.
#pragma once

#include <new>
#include <utility>

#include "weir/detail/store_core.hpp"

namespace weir::detail {

/// Holds a value or none; the room stays. @pre the ops outlive it
class boxed_value {
public:
  explicit boxed_value(const value_ops& ops)
      : ops_(&ops),
        room_(::operator new(ops.size, std::align_val_t{ops.align})) {}
  boxed_value(boxed_value&& other) noexcept
      : ops_(other.ops_), room_(std::exchange(other.room_, nullptr)),
        has_value_(std::exchange(other.has_value_, false)) {}
  boxed_value& operator=(boxed_value&&) = delete;
  ~boxed_value() {
    reset();
    if (room_ != nullptr)
      ::operator delete(room_, std::align_val_t{ops_->align});
  }

  bool has_value() const noexcept { return has_value_; }
  /// The value, or null.
  void* get() noexcept { return has_value_ ? room_ : nullptr; }
  const void* get() const noexcept { return has_value_ ? room_ : nullptr; }

  void construct() {
    reset();
    ops_->construct(room_);
    has_value_ = true;
  }
  void copy_from(const void* x) {
    reset();
    ops_->copy(room_, x);
    has_value_ = true;
  }
  void move_from(void* x) {
    reset();
    ops_->move(room_, x);
    has_value_ = true;
  }
  void reset() noexcept {
    if (std::exchange(has_value_, false))
      ops_->destroy(room_);
  }

private:
  const value_ops* ops_;
  void* room_;
  bool has_value_ = false;
};

} // namespace weir::detail
