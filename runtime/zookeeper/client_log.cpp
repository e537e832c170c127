#include "runtime/zookeeper/client_log.hpp"

#include <chrono>
#include <mutex>
#include <string_view>
#include <utility>

#include <zookeeper/zookeeper.h>

#include "runtime/base/log.hpp"

namespace weir::zk {

namespace {

constexpr int lines_per_window = 10;
constexpr std::chrono::seconds window{10};

struct limiter {
  std::mutex mutex;
  std::chrono::steady_clock::time_point begin;
  int passed = 0;
  int dropped = 0;

  /// Number of lines left out before this one, or -1 to leave it out too.
  int admit() {
    std::lock_guard guard{mutex};
    auto now = std::chrono::steady_clock::now();
    if (now - begin >= window) {
      begin = now;
      passed = 0;
    }
    if (passed == lines_per_window) {
      ++dropped;
      return -1;
    }
    ++passed;
    return std::exchange(dropped, 0);
  }
};

limiter& limit() {
  static limiter the_limiter;
  return the_limiter;
}

/// The client writes "<time>:<pid>(<thread>):ZOO_WARN@<function>@<line>: text";
/// weir's log has the time already.
std::string_view text_of(std::string_view line) {
  auto mark = line.find(":ZOO_");
  auto colon = mark == std::string_view::npos ? mark : line.find(": ", mark);
  if (colon != std::string_view::npos)
    line.remove_prefix(colon + 2);
  while (!line.empty() && line.back() == '\n')
    line.remove_suffix(1);
  return line;
}

} // namespace

void quieten_client_log() {
  static std::once_flag once;
  std::call_once(once, [] { zoo_set_debug_level(ZOO_LOG_LEVEL_WARN); });
}

void forward_client_log(const char* line) {
  auto left_out = limit().admit();
  if (left_out < 0)
    return;
  if (left_out > 0)
    log_warning("zookeeper.client", "left_out", left_out, "message",
                text_of(line));
  else
    log_warning("zookeeper.client", "message", text_of(line));
}

} // namespace weir::zk
