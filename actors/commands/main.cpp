// The entry point of every application: from its arguments to a command.
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sys/stat.h>

#include "actors/commands/command_line.hpp"
#include "actors/commands/data_directory.hpp"
#include "actors/commands/help.hpp"
#include "actors/commands/suggestions.hpp"
#include "actors/commands/versions.hpp"

namespace weir {

namespace {

/// What none of the commands is: its code, else nothing.
std::optional<int> refuse_word(const std::string& first) {
  if (first.starts_with('-') || find_verb(first))
    return std::nullopt;
  return report({ec::bad_argument, unknown_command(first)});
}

/// The first option that the command does not have; empty if it is not that.
std::string foreign_option(const CLI::App& command) {
  for (auto& each : command.remaining()) {
    if (each == "--")
      break;
    if (each.size() > 1 && each.front() == '-')
      return each;
  }
  return {};
}

int refuse_line(const CLI::App& cli, const CLI::ParseError& problem) {
  auto chosen = cli.get_subcommands();
  if (chosen.empty() ||
      dynamic_cast<const CLI::ExtrasError*>(&problem) == nullptr)
    return cli.exit(problem) == 0 ? exit_code::ok : exit_code::usage;
  auto& command = *chosen.front();
  auto typed = foreign_option(command);
  if (typed.empty()) {
    cli.exit(problem);
    return exit_code::usage;
  }
  std::vector<std::string> known;
  for (auto* each : command.get_options())
    known.push_back(each->get_name());
  return report({ec::bad_argument,
                 unknown_option(typed, *find_verb(command.get_name()), known)});
}

int carry_out(const application& app, const configuration& how,
              const parsed_line& line) {
  if (auto found = find_data(how.settings, line.command); !found)
    return report(found.error());
  switch (line.command) {
  case verb::run:
    return run_command(app, how);
  case verb::generate:
    return generate_command(app, how, line.generate);
  case verb::produce:
    return produce_command(how, line.produce);
  case verb::consume:
    return consume_command(how, line.consume);
  case verb::get:
    return get_command(app, how, line.store, line.key, line.task);
  case verb::dump:
    return dump_command(app, how, line.store);
  case verb::topology:
    return topology_command(app, how, line.json);
  case verb::resume:
    return resume_command(how, line.resume);
  case verb::reset:
    return reset_command(how, line.yes);
  case verb::adopt:
    return adopt_command(how, line.task, line.yes);
  }
  return exit_code::usage;
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
  cli.footer(overall_footer(program));
  cli.require_subcommand(1);
  parsed_line line;
  add_commands(cli, line, program);
  cli.set_version_flag("--version", [] { return version_text(); });
  if (argc > 1)
    if (auto code = refuse_word(argv[1]))
      return *code;
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return refuse_line(cli, problem);
  }
  auto how = configure(job_, line.values, line.toml_file);
  if (!how)
    return report(how.error());
  set_log_level(how->log_level);
  set_log_sink(stderr_log());
  // State is nobody else's business (LevelDB creates files with mode 0644).
  umask(077);
  how->settings.create_inputs = line.create_inputs;
  missing_directories missing{how->settings};
  auto code = carry_out(*this, *how, line);
  if (code != exit_code::ok)
    missing.remove_empty();
  return code;
}

} // namespace weir
