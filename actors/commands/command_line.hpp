// The command line, taken apart: each command with the options that it has.
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "actors/commands/commands.hpp"
#include "actors/commands/verbs.hpp"

namespace weir {

struct parsed_line {
  verb command = verb::run;
  /// Of the table of options.
  option_values values;
  std::optional<std::string> toml_file;
  generate_options generate;
  produce_options produce;
  consume_options consume;
  resume_options resume;
  std::string store;
  std::string key;
  bool json = false;
  bool yes = false;
  std::optional<int> task;
  std::optional<int> create_inputs;
};

/// What `cli` parses from now on goes to `line`, which has to outlive it.
/// `program`: the name of the binary, for the examples.
void add_commands(CLI::App& cli, parsed_line& line, const std::string& program);

} // namespace weir
