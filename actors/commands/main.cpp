// The command line of every application.
#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>

#include "actors/commands/commands.hpp"
#include "runtime/log.hpp"

namespace weir {

namespace {

struct parsed_line {
  option_values values;
  std::string toml_file;
  std::string log_level = "info";
  generate_options generate;
  std::string store;
  std::string key;
  bool json = false;
  bool yes = false;
  int partition = -1;
};

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
          ->multi_option_policy(spec.name == "kafka-property" ||
                                        spec.name == "input-topic" ||
                                        spec.name == "output-topic"
                                    ? CLI::MultiOptionPolicy::TakeAll
                                    : CLI::MultiOptionPolicy::Throw);
  }
  command
      .add_option("--config", line.toml_file,
                  "TOML file with any of these options by name")
      ->type_name("FILE");
  command
      .add_option("--log-level", line.log_level,
                  "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
}

void add_generate(CLI::App& command, parsed_line& line) {
  auto& request = line.generate.request;
  auto* file = command.add_option("--file", request.file, "CSV file to send")
                   ->type_name("FILE");
  command
      .add_option("--synthetic", request.synthetic, "number of made-up records")
      ->type_name("N")
      ->excludes(file);
  command.add_option("--symbols", request.symbols,
                     "different keys of made-up records (2000)");
  command.add_option("--seed", request.seed, "of made-up records (1)");
  command.add_option("--partitions", line.generate.partitions,
                     "partitions of the topic if it is created (8)");
  command.add_option("--rate", line.generate.rate,
                     "records a second (0 = as fast as possible)");
  command.add_flag("--append", line.generate.append,
                   "also if the topic has records already");
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

void set_level(const std::string& name) {
  set_log_level(name == "debug"     ? log_level::debug
                : name == "info"    ? log_level::info
                : name == "warning" ? log_level::warning
                                    : log_level::error);
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

int application::main(int argc, char** argv) {
  CLI::App cli{"The job '" + job_.name() +
               "' on weir, a stateful stream "
               "runtime"};
  std::string program = argv[0];
  program = program.substr(program.rfind('/') + 1);
  cli.footer(examples(program));
  cli.require_subcommand(1);
  parsed_line line;
  auto add = [&](const char* name, const char* help) {
    auto* command = cli.add_subcommand(name, help);
    add_common(*command, line);
    command->footer(examples(program));
    return command;
  };
  auto* run = add("run", "process the inputs");
  auto* generate = add("generate", "fill the input topic");
  add_generate(*generate, line);
  auto* get = add("get", "print the value of a key of a stopped job as JSON");
  get->add_option("KEY", line.key, "the key")->required();
  get->add_option("--store", line.store, "name of the store");
  auto* dump = add("dump", "print every key and value of a stopped job, one "
                           "JSON object a line");
  dump->add_option("--store", line.store, "name of the store");
  auto* topology = add("topology", "print inputs, stores and outputs");
  topology->add_flag("--json", line.json, "as JSON");
  auto* reset = add("reset", "delete the job's state; keep inputs and outputs");
  reset->add_flag("--yes", line.yes, "do not ask");
  auto* adopt = add("adopt", "accept the loss of a claim or of state and start "
                             "from what is left");
  adopt->add_option("--task", line.partition,
                    "only this task (default: all "
                    "that need it)");
  adopt->add_flag("--yes", line.yes, "do not ask");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    auto code = cli.exit(problem);
    return code == 0 ? exit_code::ok : exit_code::usage;
  }
  set_level(line.log_level);
  auto how = configure(job_, line.values, line.toml_file);
  if (!how)
    return report(how.error());
  if (run->parsed())
    return run_command(*this, *how);
  if (generate->parsed())
    return generate_command(*this, *how, line.generate);
  if (get->parsed())
    return get_command(*this, *how, line.store, line.key);
  if (dump->parsed())
    return dump_command(*this, *how, line.store);
  if (topology->parsed())
    return topology_command(*this, *how, line.json);
  if (reset->parsed())
    return reset_command(*how, line.yes);
  return adopt_command(*how, line.partition, line.yes);
}

} // namespace weir
