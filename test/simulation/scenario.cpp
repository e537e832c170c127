#include "test/simulation/scenario.hpp"

#include <charconv>
#include <string_view>

#include <fmt/format.h>

namespace weir::sim {

namespace {

constexpr std::pair<const char*, node_fault::what> fault_names[] = {
    {"crash", node_fault::what::crash},
    {"pause", node_fault::what::pause},
    {"cut", node_fault::what::cut},
    {"full", node_fault::what::full},
};

/// Takes `text` up to `mark` and a number behind it off the front of `rest`.
class scanner {
public:
  explicit scanner(std::string_view text) : rest_(text) {}

  std::string word(char mark) {
    auto end = rest_.find(mark);
    good_ &= end != rest_.npos && end > 0;
    auto out = std::string{rest_.substr(0, end)};
    rest_.remove_prefix(good_ ? end + 1 : rest_.size());
    return out;
  }
  /// Up to `mark`, or to the end where it is 0.
  std::uint64_t number(char mark) {
    std::uint64_t out = 0;
    auto end = rest_.data() + rest_.size();
    auto [next, error] = std::from_chars(rest_.data(), end, out);
    good_ &= error == std::errc{} &&
             (mark == 0 ? next == end : next != end && *next == mark);
    rest_.remove_prefix(static_cast<std::size_t>(next - rest_.data()));
    if (good_ && mark != 0)
      rest_.remove_prefix(1);
    return out;
  }
  bool good() const noexcept { return good_; }

private:
  std::string_view rest_;
  bool good_ = true;
};

std::string numbers_of(const scenario& what) {
  const std::pair<const char*, unsigned> numbers[] = {
      {"retire", what.faults.retire},
      {"lost-commit", what.faults.lost_commit},
      {"full", what.faults.full},
      {"no-offset", what.faults.no_offset},
      {"fence-blocked", what.faults.fence_blocked},
      {"silent-polls", what.faults.silent_polls},
      {"no-producer", what.faults.no_producer},
      {"no-watermarks", what.faults.no_watermarks},
      {"broken-network", what.broken_network},
  };
  std::string out;
  for (auto& [name, value] : numbers)
    if (value > 0)
      out += fmt::format(" --{} {}", name, value);
  return out;
}

} // namespace

std::string to_string(const node_fault& x) {
  auto name = "";
  for (auto& [text, kind] : fault_names)
    if (kind == x.kind)
      name = text;
  return fmt::format("{}:{}@{}+{}", name, x.node, x.after, x.lasts.count());
}

result<node_fault> parse_node_fault(const std::string& text) {
  scanner from{text};
  node_fault out;
  auto name = from.word(':');
  out.node = static_cast<int>(from.number('@'));
  out.after = from.number('+');
  out.lasts = std::chrono::milliseconds{from.number(0)};
  for (auto& [known, kind] : fault_names)
    if (from.good() && name == known) {
      out.kind = kind;
      return out;
    }
  return fail(ec::bad_argument,
              "'" + text + "' is no fault such as crash:0@120+3000");
}

std::string to_string(const slow_jobs& x) {
  return fmt::format("{}:{}+{}", x.executor, x.percent, x.lasts.count());
}

result<slow_jobs> parse_slow_jobs(const std::string& text) {
  scanner from{text};
  slow_jobs out;
  out.executor = from.word(':');
  out.percent = static_cast<unsigned>(from.number('+'));
  out.lasts = std::chrono::milliseconds{from.number(0)};
  if (from.good())
    return out;
  return fail(ec::bad_argument,
              "'" + text + "' is not such as weir-commit:10+30000");
}

std::string replay_command(const scenario& what) {
  auto out = fmt::format(
      "weir-simulate --seed {} --guarantee {} --load {} --kind {}", what.seed,
      what.promise == guarantee::exactly_once ? "exactly-once"
                                              : "at-least-once",
      what.load == workload_kind::plain ? "plain" : "mixed",
      what.kind == crash_kind::process ? "process" : "power");
  if (what.nodes > 1)
    out += fmt::format(" --nodes {}", what.nodes);
  if (what.one_host)
    out += " --one-host";
  for (auto& each : what.node_faults)
    out += " --node-fault " + to_string(each);
  if (what.throughput != scheduler_throughput)
    out += fmt::format(" --throughput {}", what.throughput);
  for (auto each : what.crash_after)
    out += fmt::format(" --crash-at {}", each);
  if (what.crash_in_operation)
    out += fmt::format(" --crash-in {}", *what.crash_in_operation);
  out += numbers_of(what);
  for (auto& each : what.slow)
    out += " --slow " + to_string(each);
  if (what.old_claims)
    out += " --old-claims";
  if (what.lose_input)
    out += " --lose-input";
  if (what.lose_databases)
    out += " --lose-databases";
  for (auto& [name, wrong] : poison_names)
    if (what.wrong == wrong)
      out += fmt::format(" --wrong {}", name);
  for (auto& [name, word] : word_names)
    if (what.word == word && word != parked_decision::resume)
      out += fmt::format(" --word {}", name);
  for (auto& [name, lie] : lie_names)
    if (what.lie == lie)
      out += fmt::format(" --lie {}", name);
  if (!what.live_config.empty())
    out += fmt::format(" --live-config '{}'", what.live_config);
  return out;
}

} // namespace weir::sim
