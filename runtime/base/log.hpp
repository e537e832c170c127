// The log: a stable event id and fields. `log_info("task.restored", "task",
// 3, "offset", 17)` writes `task.restored task=3 offset=17`. The sink can be
// replaced; the simulation collects the same events as its trace. A node may
// have a sink of its own, which each thread that works for it enters
// (`log_scope`).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "weir/log.hpp"

namespace weir {

/// One event. `text` is "name=value name=value …" without the event id.
using log_sink = std::function<void(log_level, std::string_view event,
                                    std::string_view text)>;
/// Of a node; null = the process's.
using node_log = std::shared_ptr<const log_sink>;

/// Replaces the process's sink; none = silent, as at the beginning: a library
/// has no business on its host's streams. Not thread-safe against concurrent
/// logging: call it before the node starts.
void set_log_sink(log_sink sink);
/// Lines on standard error, with the time.
log_sink stderr_log();

/// While it lives, what this thread logs goes to `to`. Costs two writes.
class log_scope {
public:
  /// @pre `to` outlives it
  explicit log_scope(const node_log& to) noexcept;
  ~log_scope();
  log_scope(const log_scope&) = delete;
  log_scope& operator=(const log_scope&) = delete;

private:
  const node_log* before_;
};

/// Where this thread's events go: for a thread that it starts.
node_log current_log();

/// Events below are dropped before they are formatted. Default: info.
void set_log_level(log_level least) noexcept;
bool log_enabled(log_level level) noexcept;

namespace detail {

void write_log(log_level level, std::string_view event, std::string_view text);

inline void append_fields(std::string&) {}

template <class Value, class... Rest>
void append_fields(std::string& out, std::string_view name, const Value& value,
                   const Rest&... rest) {
  if (!out.empty())
    out += ' ';
  fmt::format_to(std::back_inserter(out), "{}={}", name, value);
  append_fields(out, rest...);
}

template <class... Fields>
void log(log_level level, std::string_view event, const Fields&... fields) {
  static_assert(sizeof...(Fields) % 2 == 0, "fields are name, value pairs");
  if (!log_enabled(level))
    return;
  std::string text;
  append_fields(text, fields...);
  write_log(level, event, text);
}

} // namespace detail

template <class... Fields>
void log_debug(std::string_view event, const Fields&... fields) {
  detail::log(log_level::debug, event, fields...);
}
template <class... Fields>
void log_info(std::string_view event, const Fields&... fields) {
  detail::log(log_level::info, event, fields...);
}
template <class... Fields>
void log_warning(std::string_view event, const Fields&... fields) {
  detail::log(log_level::warning, event, fields...);
}
template <class... Fields>
void log_error(std::string_view event, const Fields&... fields) {
  detail::log(log_level::error, event, fields...);
}

} // namespace weir
