// Where the tasks of a node are just now.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "actors/base/caf.hpp"

namespace weir {

/// The actors of the tasks that this node hosts; handles stay good while their
/// incarnations change. Keeps none of them alive. Thread-safe.
class task_places {
public:
  void arrived(int partition, const caf::actor& who) {
    std::lock_guard guard{mutex_};
    places_[partition] = who.address();
  }
  void gone(int partition) {
    std::lock_guard guard{mutex_};
    places_.erase(partition);
  }
  /// Null: the task is not here.
  caf::actor find(int partition) const {
    std::lock_guard guard{mutex_};
    auto i = places_.find(partition);
    return i == places_.end() ? nullptr
                              : caf::actor_cast<caf::actor>(i->second);
  }

private:
  mutable std::mutex mutex_;
  std::map<int, caf::actor_addr> places_;
};

} // namespace weir
