// The TOML file of `--config`.
#pragma once

#include <string>

#include "actors/commands/options.hpp"

namespace weir {

/// [blocking] Every setting that stands in `file`, by name; also from a pipe.
/// Errors: `bad_argument` naming the file and, where one is at fault, the
/// setting.
result<option_values> read_settings_file(const std::string& file);

} // namespace weir
