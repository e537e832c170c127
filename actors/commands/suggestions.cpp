#include "actors/commands/suggestions.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "actors/commands/help.hpp"
#include "actors/commands/options.hpp"

namespace weir {

namespace {

/// Levenshtein's.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto corner = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto cost = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
      corner = row[j];
      row[j] = std::min({cost, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// The names of the commands, all or those that have an option.
std::vector<std::string> names_of(const verb_set* which = nullptr) {
  std::vector<std::string> out;
  for (auto& each : verb_table())
    if (which == nullptr || which->has(each.is))
      out.push_back(each.name);
  return out;
}

} // namespace

std::string most_like(const std::string& word,
                      const std::vector<std::string>& known) {
  constexpr std::size_t alike = 2;
  std::string best;
  auto least = alike + 1;
  for (auto& each : known)
    if (auto far = distance(word, each); far < least) {
      least = far;
      best = each;
    }
  return best;
}

std::string unknown_command(const std::string& word) {
  auto all = names_of();
  auto meant = most_like(word, all);
  if (meant.empty())
    return fmt::format("there is no command '{}': there are {}", word,
                       fmt::join(all, ", "));
  return fmt::format("there is no command '{}': did you mean '{}'?", word,
                     meant);
}

std::string unknown_option(const std::string& typed, verb command,
                           const std::vector<std::string>& known) {
  auto option = typed.substr(0, typed.find('='));
  auto name = help_of(command).name;
  for (auto& spec : option_table())
    if (option == "--" + spec.name)
      return fmt::format("'{}' has no option {}: it is for {}", name, option,
                         fmt::join(names_of(&spec.verbs), ", "));
  auto meant = most_like(option, known);
  if (meant.empty())
    return fmt::format("'{}' has no option {}: `{} --help` lists what it has",
                       name, option, name);
  return fmt::format("'{}' has no option {}: did you mean {}?", name, option,
                     meant);
}

} // namespace weir
