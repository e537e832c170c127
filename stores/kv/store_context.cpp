#include "stores/kv/store_context.hpp"

#include <utility>

#include "stores/kv/store_core.hpp"

namespace weir::detail {

void store_context::make_room(std::size_t charge) {
  while (clean_bytes_ + charge > cache_bound_ && ring_.next != &ring_) {
    auto& oldest = *ring_.next;
    unlink(oldest);
    if (std::exchange(oldest.referenced, false))
      link(oldest);
    else
      oldest.owner->forget(oldest);
  }
}

void store_context::evict_all() {
  while (ring_.next != &ring_) {
    auto& oldest = *ring_.next;
    unlink(oldest);
    oldest.owner->forget(oldest);
  }
}

} // namespace weir::detail
