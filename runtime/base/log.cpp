#include "runtime/base/log.hpp"

#include <atomic>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace weir {

namespace {

spdlog::level::level_enum to_spdlog(log_level level) {
  switch (level) {
  case log_level::debug:
    return spdlog::level::debug;
  case log_level::info:
    return spdlog::level::info;
  case log_level::warning:
    return spdlog::level::warn;
  case log_level::error:
    return spdlog::level::err;
  }
  return spdlog::level::err;
}

void write_to_stderr(log_level level, std::string_view event,
                     std::string_view text) {
  static auto logger = [] {
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    auto made = std::make_shared<spdlog::logger>("weir", std::move(sink));
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    made->set_level(spdlog::level::debug);
    return made;
  }();
  logger->log(to_spdlog(level), "{} {}", event, text);
}

std::atomic<log_level> least_level{log_level::info};

log_sink& process_sink() {
  static log_sink sink;
  return sink;
}

thread_local const node_log* current = nullptr;

} // namespace

log_scope::log_scope(const node_log& to) noexcept
    : before_(std::exchange(current, &to)) {}

log_scope::~log_scope() {
  current = before_;
}

node_log current_log() {
  return current != nullptr ? *current : nullptr;
}

void set_log_sink(log_sink sink) {
  process_sink() = std::move(sink);
}

log_sink stderr_log() {
  return write_to_stderr;
}

void set_log_level(log_level least) noexcept {
  least_level = least;
}

bool log_enabled(log_level level) noexcept {
  return level >= least_level.load(std::memory_order_relaxed);
}

namespace detail {

void write_log(log_level level, std::string_view event, std::string_view text) {
  if (current != nullptr && *current)
    return (**current)(level, event, text);
  if (auto& sink = process_sink())
    sink(level, event, text);
}

} // namespace detail

} // namespace weir
