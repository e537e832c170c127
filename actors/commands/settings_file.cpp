#include "actors/commands/settings_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <toml++/toml.h>

namespace weir {

namespace {

result<std::string> toml_text(const toml::node& node);

/// A word that is given as a number was meant otherwise.
result<std::string> setting_text(const std::string& name,
                                 const toml::node& node) {
  for (auto& spec : option_table()) {
    if (spec.name != name)
      continue;
    auto is_switch = spec.value.empty();
    if (!is_switch && spec.value != "N" && !node.is_string())
      return fail(ec::bad_argument, "must be a string in quotes");
    if (is_switch && !node.is_boolean())
      return fail(ec::bad_argument, "must be true or false");
  }
  return toml_text(node);
}

result<std::string> toml_text(const toml::node& node) {
  if (auto x = node.value_exact<std::string>())
    return *x;
  if (auto x = node.value_exact<std::int64_t>())
    return std::to_string(*x);
  if (auto x = node.value_exact<bool>())
    return std::string{*x ? "true" : "false"};
  return fail(ec::bad_argument,
              "must be a string, a whole number or a boolean");
}

/// Whatever can be read to its end, a pipe too.
result<std::string> read_whole(const std::string& file) {
  // A directory opens, and reads as if it were empty.
  std::error_code problem;
  auto type = std::filesystem::status(file, problem).type();
  if (type == std::filesystem::file_type::not_found)
    return fail(ec::bad_argument, "there is no file '" + file + "'");
  if (type == std::filesystem::file_type::directory)
    return fail(ec::bad_argument, "file '" + file + "' is a directory");
  std::ifstream in{file, std::ios::binary};
  std::string out{std::istreambuf_iterator<char>{in}, {}};
  if (in.bad() || !in.is_open())
    return fail(ec::bad_argument, "cannot read file '" + file + "'");
  return out;
}

} // namespace

result<option_values> read_settings_file(const std::string& file) {
  option_values out;
  auto whole = read_whole(file);
  if (!whole)
    return fail(whole.error().within("--config"));
  try {
    auto table = toml::parse(*whole, file);
    for (auto& [key, node] : table) {
      std::string name{key.str()};
      if (name == "kafka-properties" && node.is_table()) {
        for (auto& [property, value] : *node.as_table()) {
          auto text = toml_text(value);
          if (!text)
            return fail(text.error().within(file + ": kafka-properties." +
                                            std::string{property.str()}));
          out["kafka-property"].push_back(std::string{property.str()} + "=" +
                                          *text);
        }
        continue;
      }
      auto text = setting_text(name, node);
      if (!text)
        return fail(text.error().within(file + ": " + name));
      out[name].push_back(*text);
    }
  } catch (const toml::parse_error& problem) {
    std::ostringstream where;
    where << problem.source().begin;
    return fail(ec::bad_argument, file + ": " +
                                      std::string{problem.description()} +
                                      " (" + where.str() + ")");
  }
  return out;
}

} // namespace weir
