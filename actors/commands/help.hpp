// What `--help` says of each command beside its options.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/commands/verbs.hpp"

namespace weir {

struct verb_help {
  verb is;
  std::string name;
  /// Its line in the list of the commands.
  std::string summary;
  /// Without the name of the binary.
  std::vector<std::string> examples;
  /// What its exit codes mean; 2 is the same for all.
  std::map<int, std::string> exit_codes;
};

/// In the order in which they are listed.
const std::vector<verb_help>& verb_table();
const verb_help& help_of(verb x);
/// None: there is no such command.
std::optional<verb> find_verb(const std::string& name);

/// Below the options of a command: examples and exit codes. `program`: the name
/// of the binary.
std::string footer_of(const verb_help& x, const std::string& program);

/// Below the list of the commands.
std::string overall_footer(const std::string& program);

} // namespace weir
