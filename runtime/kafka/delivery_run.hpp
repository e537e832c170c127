// Acknowledged records that follow each other and belong to one listener.
#pragma once

#include <cstdint>

#include "runtime/stream/stream.hpp"

namespace weir::kafka {

/// Tells a listener that only counts of them at once: it counts in memory that
/// the sending thread writes too.
class delivery_run {
public:
  void add(delivery_listener* listener, std::int64_t offset) noexcept {
    if (listener != listener_)
      end();
    if (listener == nullptr)
      return;
    if (listener_ == nullptr && !listener->only_counts())
      // It may be gone afterwards.
      return listener->delivered(offset);
    listener_ = listener;
    ++count_;
  }
  void end() noexcept {
    if (listener_ != nullptr)
      listener_->all_delivered(count_);
    listener_ = nullptr;
    count_ = 0;
  }

private:
  /// It waits for what is counted here, and so is still there.
  delivery_listener* listener_ = nullptr;
  std::int64_t count_ = 0;
};

} // namespace weir::kafka
