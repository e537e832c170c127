#include "runtime/kafka/outage.hpp"

#include "runtime/base/log.hpp"

namespace weir::kafka {

void outage::all_brokers_down(const std::string& why) {
  {
    std::lock_guard guard{mutex_};
    if (down_.exchange(true))
      return;
    since_ = std::chrono::steady_clock::now();
  }
  log_warning("kafka.down", "brokers", brokers_, "reason", why);
}

void outage::back() noexcept {
  using namespace std::chrono;
  milliseconds lasted{};
  {
    std::lock_guard guard{mutex_};
    if (!down_.exchange(false))
      return;
    lasted = duration_cast<milliseconds>(steady_clock::now() - since_);
  }
  log_info("kafka.up", "brokers", brokers_, "down_ms", lasted.count());
}

} // namespace weir::kafka
