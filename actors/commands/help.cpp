#include "actors/commands/help.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actors/commands/commands.hpp"

namespace weir {

namespace {

std::vector<verb_help> make_table() {
  auto damaged = "the embedded log is damaged";
  return {
      {verb::run,
       "run",
       "process the inputs",
       {"run --data state --until-drained",
        "run --kafka 127.0.0.1:9092 --zookeeper 127.0.0.1:2181/weir"},
       {{0, "stopped by a signal, or every input is at its end"},
        {1, "failed; or stopped without its last commit: what it left is "
            "processed again"},
        {3, "a task stopped for good: bad input, or its code fails"},
        {4, "the same for data loss or corruption: the operator must decide"}}},
      {verb::produce,
       "produce",
       "write records to an input, from standard input or a file",
       {"produce --data state --file records.txt",
        "produce --data state --format json --input orders"},
       {{0, "every record is written"},
        {1, "failed, or stopped by a signal: it says how many are written"},
        {4, damaged}}},
      {verb::consume,
       "consume",
       "print the records of an output",
       {"consume --data state --json -n 10",
        "consume --follow --from latest --kafka 127.0.0.1:9092 --zookeeper "
        "127.0.0.1:2181/weir"},
       {{0, "printed, or ended by Ctrl-C or by who reads it"},
        {1, "failed: no such topic, a server, the output"},
        {4, damaged}}},
      {verb::generate,
       "generate",
       "fill the input topic from the application's source of records",
       {"generate --data state --file prices.csv",
        "generate --data state --synthetic 100000 --rate 5000 --append"},
       {{0, "every record is written"},
        {1, "failed, or stopped by a signal: it says how many are written"},
        {4, damaged}}},
      {verb::get,
       "get",
       "print the value of a key of a stopped job as JSON",
       {"get --data state KEY", "get --data state --store NAME -- -KEY"},
       {{0, "printed, out of the whole committed state"},
        {1, "no such key, a key in several tasks, a job that is running, or "
            "not the whole committed state"},
        {4, "the state is damaged"}}},
      {verb::dump,
       "dump",
       "print every key and value of a stopped job, a JSON object a line",
       {"dump --data state", "dump --data state --store NAME"},
       {{0, "printed, and it is the whole committed state"},
        {1, "failed, a job that is running, or not the whole state"},
        {4, "the state is damaged"}}},
      {verb::topology,
       "topology",
       "print inputs, stores and outputs",
       {"topology", "topology --json --job NAME"},
       {{0, "printed"}, {1, "the output cannot be written"}}},
      {verb::resume,
       "resume",
       "decide what becomes of a parked task; alone: try again",
       {"resume --data state", "resume --data state 3 --skip --reason TEXT"},
       {{0, "listed, or decided"},
        {1, "failed, or the task is not parked"},
        {4, damaged}}},
      {verb::reset,
       "reset",
       "delete the job's state; keep inputs and outputs",
       {"reset --data state", "reset --data state --job NAME --yes"},
       {{0, "nothing is left of the state"},
        {1, "failed, not confirmed, no such job, or it is running"},
        {4, damaged}}},
      {verb::adopt,
       "adopt",
       "accept the loss of a claim or of state, and start from what is left",
       {"adopt --data state", "adopt --data state --task 3 --yes"},
       {{0, "every task can start"},
        {1, "failed, not confirmed, no such job, or it is running"},
        {4, "the changelog is another job's, or damaged"}}},
  };
}

} // namespace

const std::vector<verb_help>& verb_table() {
  static const auto table = make_table();
  return table;
}

const verb_help& help_of(verb x) {
  auto& all = verb_table();
  return *std::find_if(all.begin(), all.end(),
                       [x](const verb_help& each) { return each.is == x; });
}

std::optional<verb> find_verb(const std::string& name) {
  for (auto& each : verb_table())
    if (each.name == name)
      return each.is;
  return std::nullopt;
}

std::string footer_of(const verb_help& x, const std::string& program) {
  std::string out = "Examples:\n";
  for (auto& each : x.examples)
    out += fmt::format("  {} {}\n", program, each);
  auto codes = x.exit_codes;
  codes.emplace(exit_code::usage,
                "the command line, or a file that it names, is wrong");
  out += "\nExit codes:\n";
  for (auto& [code, meaning] : codes)
    out += fmt::format("  {}  {}\n", code, meaning);
  out.pop_back();
  return out;
}

std::string overall_footer(const std::string& program) {
  return fmt::format("{} COMMAND --help shows a command's options, examples "
                     "and exit codes.",
                     program);
}

} // namespace weir
