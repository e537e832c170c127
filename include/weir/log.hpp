// Events of the log, for a program that takes them itself.
#pragma once

#include <string_view>

namespace weir {

enum class log_level { debug, info, warning, error };

/// One line of the log. The views end with the call that they are given to.
struct log_event {
  log_level level;
  /// What happened, a stable id: "task.restored".
  std::string_view event;
  /// "name=value name=value …"
  std::string_view text;
};

} // namespace weir
