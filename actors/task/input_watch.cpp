#include "actors/task/input_watch.hpp"

#include <algorithm>
#include <utility>

namespace weir {

namespace {

constexpr std::int64_t longest_ms = 1'000;
constexpr std::string_view of_broker = "the broker gave nothing";
constexpr std::string_view of_task = "the task did not read";

std::int64_t since(std::int64_t then_ns, std::int64_t now_ns) {
  return (now_ns - then_ns) / 1'000'000;
}

} // namespace

void input_watch::polled_nothing(bool at_end, std::int64_t now_ns,
                                 std::int64_t wall_ms) noexcept {
  ready_since_.reset();
  if (!silent_)
    silent_ = silence{now_ns, wall_ms, at_end};
  // Where the end is known all that was there is read.
  if (at_end && !silent_->at_end) {
    silent_ = silence{now_ns, wall_ms, true};
    told_ = false;
  }
}

std::optional<input_watch::gap>
input_watch::polled(std::int64_t written_ms, std::int64_t now_ns,
                    std::int64_t wall_ms) noexcept {
  told_ = false;
  auto ready = std::exchange(ready_since_, std::nullopt);
  auto silent = std::exchange(silent_, std::nullopt);
  auto waited = ready ? since(*ready, now_ns) : 0;
  if (waited > longest_ms)
    return gap{of_task, waited};
  if (!silent)
    return std::nullopt;
  auto gone = since(silent->since_ns, now_ns) - waited;
  // A record's own time tells how long it was there, unless it is older than
  // the silence: then it is no time of arrival.
  if (silent->at_end)
    gone = written_ms >= silent->since_wall_ms
               ? std::min(gone, wall_ms - written_ms - waited)
               : 0;
  if (gone > longest_ms)
    return gap{of_broker, gone};
  return std::nullopt;
}

std::optional<input_watch::gap>
input_watch::look(std::int64_t now_ns) noexcept {
  if (told_)
    return std::nullopt;
  if (ready_since_ && since(*ready_since_, now_ns) > longest_ms) {
    told_ = true;
    return gap{of_task, since(*ready_since_, now_ns)};
  }
  if (silent_ && !silent_->at_end &&
      since(silent_->since_ns, now_ns) > longest_ms) {
    told_ = true;
    return gap{of_broker, since(silent_->since_ns, now_ns)};
  }
  return std::nullopt;
}

} // namespace weir
