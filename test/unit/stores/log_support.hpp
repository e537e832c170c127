// The log of a test: collected instead of written.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/log.hpp"

namespace weir::test {

/// Collects the events for as long as it lives.
class collected_log {
public:
  collected_log() {
    set_log_sink(
        [this](log_level, std::string_view event, std::string_view text) {
          lines.push_back(std::string{event} + ' ' + std::string{text});
        });
  }
  collected_log(const collected_log&) = delete;
  collected_log& operator=(const collected_log&) = delete;
  ~collected_log() { set_log_sink({}); }

  int count(std::string_view word) const {
    int out = 0;
    for (auto& line : lines)
      out += line.find(word) != std::string::npos;
    return out;
  }

  std::vector<std::string> lines;
};

} // namespace weir::test
