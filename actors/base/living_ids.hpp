// The producer ids of a process that lanes of it live under.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>

namespace weir {

/// Shared by the nodes of a process: a claim names the process, so none of them
/// may take another's living id for one that was left behind (rules C3, H33).
/// Thread-safe.
class living_ids {
public:
  void begin(const std::string& id) {
    std::lock_guard guard{mutex_};
    ids_.insert(id);
  }
  void end(const std::string& id) {
    std::lock_guard guard{mutex_};
    ended_ += ids_.erase(id);
  }
  std::set<std::string> all() const {
    std::lock_guard guard{mutex_};
    return ids_;
  }
  /// How many have ended so far.
  std::uint64_t ended() const {
    std::lock_guard guard{mutex_};
    return ended_;
  }

private:
  mutable std::mutex mutex_;
  std::set<std::string> ids_;
  std::uint64_t ended_ = 0;
};

} // namespace weir
