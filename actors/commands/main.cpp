// The command line of every application.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include "actors/commands/commands.hpp"
#include "actors/commands/versions.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

struct parsed_line {
  option_values values;
  std::optional<std::string> toml_file;
  generate_options generate;
  produce_options produce;
  consume_options consume;
  std::string store;
  std::string key;
  bool json = false;
  bool yes = false;
  std::optional<int> partition;
  std::optional<int> create_inputs;
  resume_options resume;
};

/// The embedded log takes no more; on a broker each would be a task with a
/// database of its own.
constexpr std::uint64_t most_partitions = 10'000;
/// A record a nanosecond.
constexpr std::uint64_t most_rate = 1'000'000'000;

/// An option that tells an empty value from none: the parser's own optional
/// types do not.
CLI::Option* add_text(CLI::App& command, const std::string& name,
                      std::optional<std::string>& into,
                      const std::string& help) {
  return command
      .add_option_function<std::string>(
          name, [&into](const std::string& x) { into = x; }, help)
      ->type_name("FILE");
}

/// `into` may be a number or an optional one.
template <class Number, class Into>
CLI::Option* add_number(CLI::App& command, const std::string& name, Into& into,
                        const std::string& help, std::uint64_t least = 0,
                        std::uint64_t most = static_cast<std::uint64_t>(
                            std::numeric_limits<Number>::max())) {
  auto set = [&into, name, least, most](const std::string& text) {
    auto value = parse_whole(text, least, most);
    if (!value)
      throw CLI::ValidationError(name, value.error().text());
    into = static_cast<Number>(*value);
  };
  return command.add_option_function<std::string>(name, set, help)
      ->type_name("N");
}

/// The options of the table, on one command.
void add_common(CLI::App& command, parsed_line& line) {
  for (auto& spec : option_table()) {
    auto name = "--" + spec.name;
    auto& into = line.values;
    if (spec.value.empty())
      command.add_flag_callback(
          name, [&into, key = spec.name] { into[key] = {"true"}; }, spec.help);
    else
      command
          .add_option_function<std::vector<std::string>>(
              name,
              [&into, key = spec.name](const std::vector<std::string>& x) {
                into[key] = x;
              },
              spec.help)
          ->type_name(spec.value)
          ->expected(1)
          // Else it takes what stands behind it, and "--" for its own.
          ->allow_extra_args(false)
          ->multi_option_policy(spec.name == "kafka-property" ||
                                        spec.name == "input-topic" ||
                                        spec.name == "output-topic"
                                    ? CLI::MultiOptionPolicy::TakeAll
                                    : CLI::MultiOptionPolicy::Throw);
  }
  add_text(command, "--config", line.toml_file,
           "TOML file with any of these options by name");
}

void add_generate(CLI::App& command, parsed_line& line) {
  auto& request = line.generate.request;
  auto* file = add_text(command, "--file", request.file, "CSV file to send");
  add_number<std::uint64_t>(command, "--synthetic", request.synthetic,
                            "number of made-up records")
      ->excludes(file);
  add_number<std::uint32_t>(command, "--symbols", request.symbols,
                            "different keys of made-up records (2000)");
  add_number<std::uint64_t>(command, "--seed", request.seed,
                            "of made-up records (1)");
  add_number<int>(command, "--partitions", line.generate.partitions,
                  "partitions of the topic if it is created (8)", 1,
                  most_partitions);
  add_number<std::uint64_t>(command, "--rate", line.generate.rate,
                            "records a second (0 = as fast as possible)", 0,
                            most_rate);
  command.add_flag("--append", line.generate.append,
                   "also if the topic has records already");
}

void add_produce(CLI::App& command, parsed_line& line) {
  auto& to = line.produce;
  command.add_option("--input", to.input, "input to write (the first)")
      ->type_name("NAME");
  add_text(command, "--file", to.file, "read this instead of standard input");
  command
      .add_option_function<std::string>(
          "--format", [&to](const std::string& x) { to.json = x == "json"; },
          "lines: KEY<TAB>VALUE, without a key the line; json: "
          "{\"key\":...,\"value\":...,\"headers\":{...},\"time\":...}, a "
          "value of null is a tombstone (lines)")
      ->check(CLI::IsMember({"lines", "json"}))
      ->type_name("lines|json");
  add_number<int>(command, "--partition", to.partition,
                  "partition of every record, instead of the one that its key "
                  "gives");
  add_number<int>(command, "--partitions", to.partitions,
                  "partitions of the topic if it is created (8); on servers "
                  "it is created only where this is given",
                  1, most_partitions);
}

void add_consume(CLI::App& command, parsed_line& line) {
  auto& to = line.consume;
  auto* output = command.add_option("--output", to.topic,
                                    "output, or input, to read (the first "
                                    "output)");
  output->type_name("NAME");
  command
      .add_flag("--dead-letter", to.dead_letter,
                "read the dead letters, as JSON")
      ->excludes(output);
  command.add_flag("--follow", to.follow,
                   "go on at the end, until Ctrl-C; partitions are mixed");
  command.add_flag("--uncommitted", to.uncommitted,
                   "also what no transaction has committed");
  command.add_flag("--json", to.json,
                   "one JSON object a line, with place, time and headers");
  command
      .add_option_function<std::string>(
          "--from",
          [&to](const std::string& x) {
            to.latest = x == "latest";
            if (to.latest || x == "earliest")
              return;
            auto offset = parse_whole(x, 0, INT64_MAX);
            if (!offset)
              throw CLI::ValidationError("--from", offset.error().text());
            to.from = static_cast<std::int64_t>(*offset);
          },
          "where each partition begins (earliest)")
      ->type_name("earliest|latest|OFFSET");
  add_number<int>(command, "--partition", to.partition, "only this partition");
  add_number<std::uint64_t>(command, "-n,--count", to.count,
                            "stop after so many records", 1);
}

void add_resume(CLI::App& command, parsed_line& line) {
  auto& to = line.resume;
  auto* task = add_number<int>(command, "TASK", to.task,
                               "the task; without: list the parked ones");
  auto decide = [&](const char* name, parked_decision what, const char* help) {
    return command
        .add_flag_callback(
            name, [&to, what] { to.decision = what; }, help)
        ->needs(task);
  };
  auto* skip = decide("--skip", parked_decision::skip,
                      "pass the record, or the gap, without processing it");
  decide("--dead-letter", parked_decision::dead_letter,
         "write the record to the dead-letter topic (made if it is missing) "
         "and pass it")
      ->excludes(skip);
  command.add_option("--reason", to.reason, "kept with the decision")
      ->type_name("TEXT")
      ->needs(task);
  command.add_flag("--json", to.json, "as JSON, one object a task");
}

std::string examples(const std::string& name) {
  return "\nExamples:\n  " + name +
         " generate --file prices.csv --data state\n  " + name +
         " run --data state --until-drained\n  " + name +
         " run --kafka 127.0.0.1:9092 --zookeeper 127.0.0.1:2181/weir\n  " +
         name + " dump --data state\n  " + name +
         " COMMAND --help shows the options of a command.\n"
         "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 a task "
         "stopped for good, 4 data loss or corruption.\n";
}

/// For commands about what a job left behind: opening would create what a
/// mistyped name lacks. With servers the job's facts are there, not here.
result<void> find_data(const settings& how) {
  if (!how.kafka.empty())
    return {};
  using std::filesystem::file_type;
  auto type_of = [](const std::string& path) {
    std::error_code ignored;
    return std::filesystem::status(path, ignored).type();
  };
  auto& data = how.data_directory;
  auto type = type_of(data);
  if (type == file_type::not_found)
    return fail(ec::not_found, "there is no data directory '" + data +
                                   "': give --data as for `run`");
  if (type != file_type::directory)
    return fail(ec::io_error, "'" + data + "' cannot be read as a directory");
  if (type_of(embedded_directory(how)) == file_type::not_found)
    return fail(ec::not_found, "directory '" + data +
                                   "' has no embedded log: give --data, or "
                                   "--kafka and --zookeeper, as for `run`");
  return {};
}

void add_commands(CLI::App& cli, parsed_line& line,
                  const std::string& program) {
  auto add = [&](const char* name, const char* help) -> CLI::App& {
    auto* command = cli.add_subcommand(name, help);
    add_common(*command, line);
    command->footer(examples(program));
    return *command;
  };
  add_number<int>(add("run", "process the inputs"), "--partitions",
                  line.create_inputs,
                  "partitions of inputs that are created (8); on servers they "
                  "are created only where this is given",
                  1, most_partitions);
  add_generate(add("generate", "fill the input topic"), line);
  add_produce(add("produce", "write records to an input, from standard input "
                             "or a file"),
              line);
  add_consume(add("consume", "print the records of an output"), line);
  auto& get = add("get", "print the value of a key of a stopped job as JSON");
  get.add_option("KEY", line.key, "the key; behind -- if it begins with -")
      ->required();
  get.add_option("--store", line.store, "name of the store");
  add_number<int>(get, "--task", line.partition,
                  "only this task, where several have the key");
  auto& dump = add("dump", "print every key and value of a stopped job, one "
                           "JSON object a line");
  dump.add_option("--store", line.store, "name of the store");
  auto& topology = add("topology", "print inputs, stores and outputs");
  topology.add_flag("--json", line.json, "as JSON");
  add_resume(add("resume", "decide what becomes of a parked task; alone: try "
                           "again"),
             line);
  auto& reset = add("reset", "delete the job's state; keep inputs and outputs");
  reset.add_flag("--yes", line.yes, "do not ask");
  auto& adopt = add("adopt", "accept the loss of a claim or of state and start "
                             "from what is left");
  add_number<int>(adopt, "--task", line.partition,
                  "only this task (default: all that need it)");
  adopt.add_flag("--yes", line.yes, "do not ask");
}

/// The first word, where it is no command and no option.
const char* unknown_command(const CLI::App& cli, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-')
    return nullptr;
  for (auto* each : cli.get_subcommands([](const CLI::App*) { return true; }))
    if (each->get_name() == argv[1])
      return nullptr;
  return argv[1];
}

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

int suggest(const CLI::App& cli, const char* unknown) {
  constexpr std::size_t alike = 2;
  std::string all, best;
  auto least = alike + 1;
  for (auto* each : cli.get_subcommands([](const CLI::App*) { return true; })) {
    all += (all.empty() ? "" : ", ") + each->get_name();
    if (auto far = distance(unknown, each->get_name()); far < least) {
      least = far;
      best = each->get_name();
    }
  }
  std::fprintf(stderr, "weir: there is no command '%s': %s\n", unknown,
               best.empty() ? ("there are " + all).c_str()
                            : ("did you mean '" + best + "'?").c_str());
  return exit_code::usage;
}

int carry_out(const std::string& command, const application& app,
              const configuration& how, const parsed_line& line) {
  if (command == "run")
    return run_command(app, how);
  if (command == "generate")
    return generate_command(app, how, line.generate);
  if (command == "produce")
    return produce_command(how, line.produce);
  if (command == "topology")
    return topology_command(app, how, line.json);
  if (auto found = find_data(how.settings); !found)
    return report(found.error());
  if (command == "consume")
    return consume_command(how, line.consume);
  if (command == "get")
    return get_command(app, how, line.store, line.key, line.partition);
  if (command == "dump")
    return dump_command(app, how, line.store);
  if (command == "resume")
    return resume_command(how, line.resume);
  if (command == "reset")
    return reset_command(how, line.yes);
  return adopt_command(how, line.partition, line.yes);
}

} // namespace

int report(const error& why) {
  std::fprintf(stderr, "weir: %s\n", why.text().c_str());
  switch (why.code()) {
  case ec::bad_argument:
    return exit_code::usage;
  case ec::data_loss:
  case ec::corruption:
  case ec::damaged:
    return exit_code::data_loss;
  default:
    return exit_code::failed;
  }
}

int finish_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)
    return exit_code::ok;
  return report({ec::io_error, std::string{"cannot write the output: "} +
                                   std::strerror(errno)});
}

int application::main(int argc, char** argv) {
  CLI::App cli{"The job '" + job_.name() +
               "' on weir, a stateful stream "
               "runtime"};
  std::string program = argv[0];
  program = program.substr(program.rfind('/') + 1);
  cli.footer(examples(program));
  cli.require_subcommand(1);
  parsed_line line;
  add_commands(cli, line, program);
  cli.set_version_flag("--version", [] { return version_text(); });
  if (auto* unknown = unknown_command(cli, argc, argv))
    return suggest(cli, unknown);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    auto code = cli.exit(problem);
    return code == 0 ? exit_code::ok : exit_code::usage;
  }
  auto how = configure(job_, line.values, line.toml_file);
  if (!how)
    return report(how.error());
  set_log_level(how->log_level);
  set_log_sink(stderr_log());
  // State is nobody else's business (LevelDB creates files with mode 0644).
  umask(077);
  how->settings.create_inputs = line.create_inputs;
  return carry_out(cli.get_subcommands().front()->get_name(), *this, *how,
                   line);
}

} // namespace weir
