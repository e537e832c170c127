// Acknowledged records that follow each other and belong to one listener.
#pragma once

#include <cstdint>

#include "runtime/stream/stream.hpp"

namespace weir::kafka {

/// Tells a listener of them at once: it counts in memory that the sending
/// thread writes too.
class delivery_run {
public:
  void add(delivery_listener* listener, std::int64_t offset) noexcept {
    if (listener != listener_)
      end();
    listener_ = listener;
    offset_ = offset;
    ++count_;
  }
  void end() noexcept {
    if (listener_ != nullptr)
      listener_->all_delivered(count_, offset_);
    listener_ = nullptr;
    count_ = 0;
  }

private:
  delivery_listener* listener_ = nullptr;
  std::int64_t count_ = 0;
  std::int64_t offset_ = -1;
};

} // namespace weir::kafka
