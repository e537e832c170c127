#include "actors/commands/options.hpp"

#include <algorithm>
#include <charconv>

#include "actors/commands/settings_file.hpp"

namespace weir {

namespace {

result<void> apply_values(configuration& to, const option_values& values,
                          const std::string& where) {
  for (auto& [name, texts] : values) {
    const option_spec* found = nullptr;
    for (auto& spec : option_table())
      if (spec.name == name)
        found = &spec;
    if (found == nullptr)
      return fail(ec::bad_argument, where + "unknown setting '" + name + "'");
    for (auto& text : texts)
      if (auto done = found->set(to, text); !done)
        return fail(done.error().within(where + name));
  }
  return {};
}

} // namespace

result<std::uint64_t> parse_whole(const std::string& text, std::uint64_t least,
                                  std::uint64_t most) {
  auto digits =
      !text.empty() && std::all_of(text.begin(), text.end(),
                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits)
    return fail(ec::bad_argument, "'" + text + "' is not a whole number");
  std::uint64_t out = 0;
  auto end = text.data() + text.size();
  auto overflow = std::from_chars(text.data(), end, out).ec != std::errc{};
  if (overflow || out < least || out > most)
    return fail(ec::bad_argument, "'" + text + "' is not in " +
                                      std::to_string(least) + " to " +
                                      std::to_string(most));
  return out;
}

result<configuration> configure(const job& of, const option_values& given,
                                const std::optional<std::string>& toml_file) {
  configuration out{{}, of};
  if (toml_file) {
    auto values = read_settings_file(*toml_file);
    if (!values)
      return fail(values.error());
    if (auto done = apply_values(out, *values, *toml_file + ": "); !done)
      return fail(done.error());
  }
  if (auto done = apply_values(out, given, "--"); !done)
    return fail(done.error());
  if (auto ok = out.settings.validate(); !ok)
    return fail(ok.error());
  if (auto ok = out.job.check(); !ok)
    return fail(ok.error());
  return out;
}

} // namespace weir
