#include "runtime/settings.hpp"

#include <charconv>

namespace weir {

namespace {

struct unit {
  const char* name;
  std::int64_t ms;
};

// Largest first: formatting takes the first that divides.
constexpr unit units[] = {
    {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

} // namespace

result<milliseconds> parse_duration(const std::string& text) {
  std::int64_t count = 0;
  auto end = text.data() + text.size();
  auto [rest, problem] = std::from_chars(text.data(), end, count);
  if (problem == std::errc{} && count >= 0)
    for (auto& u : units)
      if (std::string_view{rest, end} == u.name &&
          count <= INT64_MAX / 1'000'000 / u.ms)
        return milliseconds{count * u.ms};
  return fail(ec::bad_argument, "'" + text +
                                    "' is not a duration: write a whole number "
                                    "and a unit, such as 100ms, 5s, 5m or 1h");
}

std::string format_duration(milliseconds x) {
  for (auto& u : units)
    if (x.count() % u.ms == 0 && x.count() >= u.ms)
      return std::to_string(x.count() / u.ms) + u.name;
  return std::to_string(x.count()) + "ms";
}

result<void> settings::validate() const {
  if (!kafka.empty() && zookeeper.empty())
    return fail(ec::bad_argument,
                "--kafka needs --zookeeper HOST:PORT[/chroot]: claims of tasks "
                "on a shared broker must be shared too");
  if (kafka.empty() && !zookeeper.empty())
    return fail(ec::bad_argument,
                "--zookeeper needs --kafka HOST:PORT: the embedded log cannot "
                "be shared between processes");
  if (threads < 1 || threads > 256)
    return fail(ec::bad_argument, "--threads must be 1 to 256");
  auto check = check_interval_or_default();
  if (check < milliseconds{1} || check > milliseconds{600'000})
    return fail(ec::bad_argument, "--check-interval must be 1ms to 10m");
  if (sync_interval < milliseconds{1'000})
    return fail(ec::bad_argument, "--sync-interval must be at least 1s");
  if (data_directory.empty())
    return fail(ec::bad_argument, "--data needs a directory");
  if (max_record_bytes < 1)
    return fail(ec::bad_argument, "--max-record-bytes must be at least 1");
  return {};
}

} // namespace weir
