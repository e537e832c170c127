#include "actors/commands/command_line.hpp"

#include <limits>

#include "actors/commands/help.hpp"

namespace weir {

namespace {

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

/// Those of the table that are for this command.
void add_common(CLI::App& command, verb of, parsed_line& line) {
  for (auto& spec : option_table()) {
    if (!spec.verbs.has(of))
      continue;
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

void add_inspecting(CLI::App& command, parsed_line& line) {
  command.add_option("--store", line.store, "store to read (the first)")
      ->type_name("NAME");
}

void add_adopt(CLI::App& command, parsed_line& line) {
  add_number<int>(command, "--task", line.task,
                  "only this task (default: all that need it)");
  command.add_flag("--yes", line.yes, "do not ask");
}

/// What only this command has.
void add_own(CLI::App& command, verb of, parsed_line& line) {
  switch (of) {
  case verb::run:
    add_number<int>(command, "--partitions", line.create_inputs,
                    "partitions of inputs that are created (8); on servers "
                    "they are created only where this is given",
                    1, most_partitions);
    return;
  case verb::generate:
    return add_generate(command, line);
  case verb::produce:
    return add_produce(command, line);
  case verb::consume:
    return add_consume(command, line);
  case verb::get:
    command
        .add_option("KEY", line.key, "the key; behind -- if it begins with -")
        ->required();
    add_number<int>(command, "--task", line.task,
                    "only this task, where several have the key");
    return add_inspecting(command, line);
  case verb::dump:
    return add_inspecting(command, line);
  case verb::topology:
    command.add_flag("--json", line.json, "as JSON");
    return;
  case verb::resume:
    return add_resume(command, line);
  case verb::reset:
    command.add_flag("--yes", line.yes, "do not ask");
    return;
  case verb::adopt:
    return add_adopt(command, line);
  }
}

} // namespace

void add_commands(CLI::App& cli, parsed_line& line,
                  const std::string& program) {
  for (auto& each : verb_table()) {
    auto* command = cli.add_subcommand(each.name, each.summary);
    command->callback([&line, is = each.is] { line.command = is; });
    add_own(*command, each.is, line);
    add_common(*command, each.is, line);
    command->footer(footer_of(each, program));
  }
}

} // namespace weir
