#include "actors/commands/options.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include <toml++/toml.h>

#include "runtime/base/addresses.hpp"
#include "runtime/zookeeper/hosts.hpp"

namespace weir {

namespace {

template <class T>
result<void> as_void(const result<T>& x) {
  if (!x)
    return fail(x.error());
  return {};
}

/// Sets a member from text through a parser that answers a result.
template <class Member, class Parse>
auto parsed(Member settings::*member, Parse parse) {
  return [member, parse](configuration& to,
                         const std::string& text) -> result<void> {
    auto value = parse(text);
    if (!value)
      return fail(value.error());
    to.settings.*member = *value;
    return {};
  };
}

template <class Member>
auto text(Member settings::*member) {
  return parsed(member, [](const std::string& x) -> result<std::string> {
    // As of a shell's variable that is not set: the default would surprise.
    if (x.empty())
      return fail(ec::bad_argument, "the value is empty");
    return x;
  });
}

/// A list of servers; those of ZooKeeper may end with a chroot.
auto addresses(std::string settings::*member, bool zookeeper) {
  return parsed(member,
                [zookeeper](const std::string& x) -> result<std::string> {
                  auto ok = zookeeper ? as_void(zk::parse_endpoints(x))
                                      : check_addresses(x, false);
                  if (!ok)
                    return fail(ok.error());
                  return x;
                });
}

auto duration(milliseconds settings::*member) {
  return parsed(member, parse_duration);
}

template <class T>
result<T> whole_number(const std::string& x) {
  auto value = parse_whole(x, 0, std::numeric_limits<T>::max());
  if (!value)
    return fail(value.error());
  return static_cast<T>(*value);
}

template <class T>
auto number(T settings::*member) {
  return parsed(member, whole_number<T>);
}

/// A word out of a list.
template <class T>
result<T> choose(const std::map<std::string, T>& words, const std::string& x) {
  if (auto i = words.find(x); i != words.end())
    return i->second;
  std::string all;
  for (auto& [word, value] : words)
    all += (all.empty() ? "" : ", ") + word;
  return fail(ec::bad_argument, "'" + x + "' is not one of: " + all);
}

template <class T>
auto choice(T settings::*member, std::map<std::string, T> words) {
  return parsed(member,
                [words](const std::string& x) { return choose(words, x); });
}

result<void> set_log_level(configuration& to, const std::string& x) {
  auto level = choose<log_level>({{"debug", log_level::debug},
                                  {"info", log_level::info},
                                  {"warning", log_level::warning},
                                  {"error", log_level::error}},
                                 x);
  if (!level)
    return fail(level.error());
  to.log_level = *level;
  return {};
}

auto flag(bool settings::*member) {
  return parsed(member, [](const std::string& x) -> result<bool> {
    if (x == "true" || x == "false")
      return x == "true";
    return fail(ec::bad_argument, "'" + x + "' is not true or false");
  });
}

result<void> add_kafka_property(configuration& to, const std::string& x) {
  auto equals = x.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(ec::bad_argument, "'" + x +
                                      "' is not NAME=VALUE, such as "
                                      "security.protocol=ssl");
  to.settings.kafka_properties[x.substr(0, equals)] = x.substr(equals + 1);
  return {};
}

/// `--input-topic X` renames the first declared input, `A=X` the input A.
auto rename_topic(const std::vector<std::string>& (job::*declared)() const) {
  return [declared](configuration& to, const std::string& x) -> result<void> {
    auto& names = (to.job.*declared)();
    if (names.empty())
      return fail(ec::bad_argument, "the job has no such topic");
    auto equals = x.find('=');
    if (equals == std::string::npos) {
      to.job.bind_topic(names.front(), x);
      return {};
    }
    auto name = x.substr(0, equals);
    for (auto& each : names)
      if (each == name) {
        to.job.bind_topic(name, x.substr(equals + 1));
        return {};
      }
    return fail(ec::bad_argument, "the job declares no topic '" + name + "'");
  };
}

std::vector<option_spec> make_table() {
  return {
      {"kafka", "HOST:PORT", "Kafka brokers; without: the embedded log",
       addresses(&settings::kafka, false)},
      {"zookeeper", "HOST:PORT[/CHROOT]",
       "ZooKeeper servers; needed with --kafka",
       addresses(&settings::zookeeper, true)},
      {"kafka-property", "NAME=VALUE",
       "property for librdkafka (TLS, SASL, …); may be repeated; in TOML: a "
       "table [kafka-properties]",
       add_kafka_property},
      {"data", "DIR",
       "directory of the tasks' state and the embedded log (weir-data)",
       text(&settings::data_directory)},
      {"job", "NAME", "name of the job",
       [](configuration& to, const std::string& x) -> result<void> {
         to.job.rename(x);
         return {};
       }},
      {"input-topic", "TOPIC",
       "topic to read instead of the declared one "
       "(DECLARED=TOPIC where there are several)",
       rename_topic(&job::inputs)},
      {"output-topic", "TOPIC", "topic to write instead of the declared one",
       rename_topic(&job::outputs)},
      {"guarantee", "exactly-once|at-least-once",
       "whether a failure may repeat outputs; state is exact in both "
       "(exactly-once)",
       choice<guarantee>(&settings::guarantee,
                         {{"exactly-once", guarantee::exactly_once},
                          {"at-least-once", guarantee::at_least_once}})},
      {"check-interval", "DURATION",
       "T_c, time between commits (100ms exactly-once, 1s at-least-once)",
       parsed(&settings::check_interval, parse_duration)},
      {"hop-interval", "DURATION",
       "between commits that records of internal topics ask for (20ms)",
       duration(&settings::hop_interval)},
      {"sync-interval", "DURATION", "T_s, time between syncs (5m)",
       duration(&settings::sync_interval)},
      {"threads", "N", "threads for the tasks' code, and lanes (2)",
       number(&settings::threads)},
      {"until-drained", "",
       "stop, with a final commit, when every input is at "
       "the end it had at the start",
       flag(&settings::until_drained)},
      {"on-bad-record", "fail|skip|dead-letter",
       "what to do with a record that cannot be processed (fail)",
       choice<bad_record_policy>(
           &settings::on_bad_record,
           {{"fail", bad_record_policy::fail},
            {"skip", bad_record_policy::skip},
            {"dead-letter", bad_record_policy::dead_letter}})},
      {"on-task-stop", "park|exit",
       "when a task stopped for good: stop it alone, until `resume`, or end "
       "the process (park)",
       choice<task_stop_policy>(&settings::on_task_stop,
                                {{"park", task_stop_policy::park},
                                 {"exit", task_stop_policy::exit}})},
      {"on-lost-input", "park|continue",
       "when input records were deleted before they were read: stop the task, "
       "until `resume`, or go on behind the gap (park)",
       choice<lost_input_policy>(&settings::on_lost_input,
                                 {{"park", lost_input_policy::park},
                                  {"continue", lost_input_policy::go_on}})},
      {"max-record-bytes", "N", "larger records are bad (1048576)",
       number(&settings::max_record_bytes)},
      {"start", "earliest|latest",
       "where a new job begins its inputs (earliest)",
       choice<start_policy>(&settings::start,
                            {{"earliest", start_policy::earliest},
                             {"latest", start_policy::latest}})},
      {"session-timeout", "DURATION", "of the ZooKeeper session (10s)",
       duration(&settings::session_timeout)},
      {"stop-limit", "DURATION",
       "longest time that a stop may take before the process ends as if it "
       "had crashed (20s)",
       duration(&settings::stop_limit)},
      {"overlay-bytes", "N",
       "uncommitted changes of a task that start a commit early, at most; many "
       "tasks share 128 MiB (16777216)",
       number(&settings::overlay_bytes)},
      {"cache-bytes", "N",
       "committed values a task keeps decoded, at most; many tasks share 64 "
       "MiB "
       "(4194304)",
       number(&settings::cache_bytes)},
      {"producer-bytes", "N",
       "local queue of each producer (32 MiB; many threads share 128 MiB)",
       parsed(&settings::producer_bytes, whole_number<std::size_t>)},
      {"producer-linger", "DURATION",
       "how long a producer collects; with a backlog up to four times as "
       "long (5ms)",
       duration(&settings::producer_linger)},
      {"allow-weak", "",
       "start on a cluster of three brokers in spite of unsafe settings",
       flag(&settings::allow_weak)},
      {"log-level", "debug|info|warning|error", "least level to log (info)",
       set_log_level},
  };
}

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

result<option_values> read_toml(const std::string& file) {
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

const std::vector<option_spec>& option_table() {
  static const auto table = make_table();
  return table;
}

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
    auto values = read_toml(*toml_file);
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
