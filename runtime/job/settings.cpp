#include "runtime/job/settings.hpp"

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

/// Far above every need, and twice of it still counts; also the most that the
/// client of Kafka can count.
constexpr std::size_t most_bytes = std::size_t{64} << 30;

result<void> check_bytes(const char* name, std::size_t x, std::size_t least) {
  if (x >= least && x <= most_bytes)
    return {};
  return fail(ec::bad_argument, std::string{name} + " must be " +
                                    std::to_string(least) + " to " +
                                    std::to_string(most_bytes));
}

result<void> check_sizes(const settings& x) {
  if (auto ok = check_bytes("--max-record-bytes", x.max_record_bytes, 1); !ok)
    return ok;
  // With 0 a task never has room for a record.
  if (auto ok = check_bytes("--overlay-bytes", x.overlay_bytes, 1); !ok)
    return ok;
  if (auto ok =
          check_bytes("--producer-bytes", x.producer_bytes.value_or(1), 1);
      !ok)
    return ok;
  return check_bytes("--cache-bytes", x.cache_bytes, 0);
}

result<void> check_times(const settings& x) {
  if (auto ok = check_interval_limits.check("--check-interval",
                                            x.check_interval_or_default());
      !ok)
    return ok;
  if (auto ok = sync_interval_limits.check("--sync-interval", x.sync_interval);
      !ok)
    return ok;
  if (auto ok =
          session_timeout_limits.check("--session-timeout", x.session_timeout);
      !ok)
    return ok;
  if (auto ok = hop_interval_limits.check("--hop-interval", x.hop_interval);
      !ok)
    return ok;
  if (auto ok = stop_limit_limits.check("--stop-limit", x.stop_limit); !ok)
    return ok;
  return producer_linger_limits.check("--producer-linger", x.producer_linger);
}

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

result<void> duration_limits::check(const std::string& name,
                                    milliseconds x) const {
  if (x >= least && x <= most)
    return {};
  return fail(ec::bad_argument, name + " must be " + format_duration(least) +
                                    " to " + format_duration(most));
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
  if (data_directory.empty())
    return fail(ec::bad_argument, "--data needs a directory");
  if (auto ok = check_times(*this); !ok)
    return ok;
  return check_sizes(*this);
}

} // namespace weir
