// What to say of words on the command line that mean nothing.
#pragma once

#include <string>
#include <vector>

#include "actors/commands/verbs.hpp"

namespace weir {

/// The one of `known` that is meant by a mistyped word; empty if none is like
/// it.
std::string most_like(const std::string& word,
                      const std::vector<std::string>& known);

/// "there is no command 'rnu': did you mean 'run'?"
std::string unknown_command(const std::string& word);

/// Of an option as it was typed, "--rate=5" too, that `command` does not have:
/// which commands have it, or which of `known`, its own, is meant.
std::string unknown_option(const std::string& typed, verb command,
                           const std::vector<std::string>& known);

} // namespace weir
