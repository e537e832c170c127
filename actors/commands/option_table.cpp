// The table of options.
#include <limits>
#include <map>

#include "actors/commands/options.hpp"
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

/// All that open the log, or the servers.
constexpr verb_set opening{verb::run,     verb::generate, verb::produce,
                           verb::consume, verb::get,      verb::dump,
                           verb::resume,  verb::reset,    verb::adopt};
constexpr verb_set all{
    verb::run,  verb::generate, verb::produce, verb::consume, verb::get,
    verb::dump, verb::topology, verb::resume,  verb::reset,   verb::adopt};
/// That name the topics of the inputs, and those of the outputs.
constexpr verb_set with_inputs{verb::run, verb::generate, verb::produce,
                               verb::consume, verb::topology};
constexpr verb_set with_outputs{verb::run, verb::consume, verb::topology};
constexpr verb_set sending{verb::run, verb::generate, verb::produce};
constexpr verb_set running{verb::run};

std::vector<option_spec> make_table() {
  return {
      {"kafka", "HOST:PORT", "Kafka brokers; without: the embedded log",
       opening, addresses(&settings::kafka, false)},
      {"zookeeper", "HOST:PORT[/CHROOT]",
       "ZooKeeper servers; needed with --kafka", opening,
       addresses(&settings::zookeeper, true)},
      {"kafka-property", "NAME=VALUE",
       "property for librdkafka (TLS, SASL, …); may be repeated; in TOML: a "
       "table [kafka-properties]",
       opening, add_kafka_property},
      {"data", "DIR",
       "directory of the tasks' state and the embedded log (weir-data)",
       opening, text(&settings::data_directory)},
      {"job", "NAME", "name of the job", all,
       [](configuration& to, const std::string& x) -> result<void> {
         to.job.rename(x);
         return {};
       }},
      {"input-topic", "TOPIC",
       "topic to read instead of the declared one "
       "(DECLARED=TOPIC where there are several)",
       with_inputs, rename_topic(&job::inputs)},
      {"output-topic", "TOPIC", "topic to write instead of the declared one",
       with_outputs, rename_topic(&job::outputs)},
      {"guarantee", "exactly-once|at-least-once",
       "whether a failure may repeat outputs; state is exact in both "
       "(exactly-once)",
       running,
       choice<guarantee>(&settings::guarantee,
                         {{"exactly-once", guarantee::exactly_once},
                          {"at-least-once", guarantee::at_least_once}})},
      {"check-interval", "DURATION",
       "T_c, time between commits (100ms exactly-once, 1s at-least-once)",
       running, parsed(&settings::check_interval, parse_duration)},
      {"hop-interval", "DURATION",
       "between commits that records of internal topics ask for (20ms)",
       running, duration(&settings::hop_interval)},
      {"sync-interval", "DURATION", "T_s, time between syncs (5m)", running,
       duration(&settings::sync_interval)},
      {"threads", "N", "threads for the tasks' code, and lanes (2)", running,
       number(&settings::threads)},
      {"until-drained", "",
       "stop, with a final commit, when every input is at "
       "the end it had at the start",
       running, flag(&settings::until_drained)},
      {"on-bad-record", "fail|skip|dead-letter",
       "what to do with a record that cannot be processed (fail)", running,
       choice<bad_record_policy>(
           &settings::on_bad_record,
           {{"fail", bad_record_policy::fail},
            {"skip", bad_record_policy::skip},
            {"dead-letter", bad_record_policy::dead_letter}})},
      {"on-task-stop", "park|exit",
       "when a task stopped for good: stop it alone, until `resume`, or end "
       "the process (park)",
       running,
       choice<task_stop_policy>(&settings::on_task_stop,
                                {{"park", task_stop_policy::park},
                                 {"exit", task_stop_policy::exit}})},
      {"on-lost-input", "park|continue",
       "when input records were deleted before they were read: stop the task, "
       "until `resume`, or go on behind the gap (park)",
       running,
       choice<lost_input_policy>(&settings::on_lost_input,
                                 {{"park", lost_input_policy::park},
                                  {"continue", lost_input_policy::go_on}})},
      {"max-record-bytes", "N", "larger records are bad (1048576)", running,
       number(&settings::max_record_bytes)},
      {"start", "earliest|latest",
       "where a new job begins its inputs (earliest)", running,
       choice<start_policy>(&settings::start,
                            {{"earliest", start_policy::earliest},
                             {"latest", start_policy::latest}})},
      {"session-timeout", "DURATION", "of the ZooKeeper session (10s)", running,
       duration(&settings::session_timeout)},
      {"stop-limit", "DURATION",
       "longest time that a stop may take before the process ends as if it "
       "had crashed (20s)",
       running, duration(&settings::stop_limit)},
      {"overlay-bytes", "N",
       "uncommitted changes of a task that start a commit early, at most; many "
       "tasks share 128 MiB (16777216)",
       running, number(&settings::overlay_bytes)},
      {"cache-bytes", "N",
       "committed values a task keeps decoded, at most; many tasks share 64 "
       "MiB "
       "(4194304)",
       running, number(&settings::cache_bytes)},
      {"producer-bytes", "N",
       "local queue of each producer (32 MiB; many threads share 128 MiB)",
       running, parsed(&settings::producer_bytes, whole_number<std::size_t>)},
      {"producer-linger", "DURATION",
       "how long a producer collects; with a backlog up to four times as "
       "long (5ms)",
       sending, duration(&settings::producer_linger)},
      {"allow-weak", "",
       "start on a cluster of three brokers in spite of unsafe settings",
       running, flag(&settings::allow_weak)},
      {"log-level", "debug|info|warning|error", "least level to log (info)",
       opening, set_log_level},
  };
}

} // namespace

const std::vector<option_spec>& option_table() {
  static const auto table = make_table();
  return table;
}

} // namespace weir
