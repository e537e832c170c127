// One clear line when the cluster goes away and one when it is back, however
// many handles notice.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

namespace weir::kafka {

/// Shared by every handle of a system. Thread-safe.
class outage {
public:
  explicit outage(std::string brokers) : brokers_{std::move(brokers)} {}

  const std::string& brokers() const noexcept { return brokers_; }

  bool down() const noexcept { return down_.load(); }

  /// A handle has no connection left; `why` is the last thing it heard.
  void all_brokers_down(const std::string& why);

  /// A broker answered. Cheap when nothing was wrong.
  void reached() noexcept {
    if (down_.load(std::memory_order_relaxed)) [[unlikely]]
      back();
  }

private:
  void back() noexcept;

  const std::string brokers_;
  std::atomic<bool> down_{false};
  std::mutex mutex_;
  std::chrono::steady_clock::time_point since_;
};

} // namespace weir::kafka
