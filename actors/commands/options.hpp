// The options of `run`, and those that other commands have too: one table for
// the command line, the TOML file, `--help` and the documentation.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/commands/verbs.hpp"
#include "runtime/base/log.hpp"
#include "runtime/job/settings.hpp"
#include "weir/job.hpp"

namespace weir {

/// What an option changes.
struct configuration {
  weir::settings settings;
  weir::job job;
  weir::log_level log_level = weir::log_level::info;
};

struct option_spec {
  /// "check-interval": `--check-interval` and the TOML key.
  std::string name;
  /// "DURATION"; empty = a switch.
  std::string value;
  std::string help;
  /// The commands that take it; a settings file may hold what others do.
  verb_set verbs;
  std::function<result<void>(configuration&, const std::string&)> set;
};

const std::vector<option_spec>& option_table();

/// Values by option name, as the command line gave them.
using option_values = std::map<std::string, std::vector<std::string>>;

/// Digits only: a library's parser takes "-1" for the largest number.
/// Errors: `bad_argument` with the text and what it may be.
result<std::uint64_t> parse_whole(const std::string& text,
                                  std::uint64_t least = 0,
                                  std::uint64_t most = UINT64_MAX);

/// Defaults, then the TOML file (if any), then the command line.
/// Errors: `bad_argument` naming the option and where it was set.
result<configuration> configure(const job& of, const option_values& given,
                                const std::optional<std::string>& toml_file);

} // namespace weir
