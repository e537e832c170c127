// The commands of an application's binary. Each answers the exit code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/commands/options.hpp"
#include "actors/failure/parked.hpp"
#include "weir/application.hpp"

namespace weir {

/// Exit codes of every command (README).
namespace exit_code {
inline constexpr int ok = 0;
/// Servers, settings of topics, a missing key.
inline constexpr int failed = 1;
/// The command line or the TOML file is wrong.
inline constexpr int usage = 2;
/// A task stopped for good.
inline constexpr int task_stopped = 3;
/// The operator must decide: state and changelog do not fit together.
inline constexpr int data_loss = 4;
} // namespace exit_code

int run_command(const application& app, const configuration& how);

struct generate_options {
  generate_request request;
  std::optional<int> partitions;
  bool append = false;
  std::uint64_t rate = 0;
};
int generate_command(const application& app, const configuration& how,
                     const generate_options& options);

struct produce_options {
  /// Declared name; empty = the first input.
  std::string input;
  /// Unset: standard input.
  std::optional<std::string> file;
  bool json = false;
  /// Of the topic, if it is created.
  std::optional<int> partitions;
  /// Of each record, instead of the one that its key gives.
  std::optional<int> partition;
};
int produce_command(const configuration& how, const produce_options& options);

struct consume_options {
  /// Declared name of an output or input; empty = the first output.
  std::string topic;
  bool dead_letter = false;
  bool follow = false;
  bool uncommitted = false;
  bool json = false;
  /// Where each partition begins; unset: its first record.
  std::optional<std::int64_t> from;
  bool latest = false;
  std::optional<int> partition;
  /// Stop after so many records.
  std::optional<std::uint64_t> count;
};
int consume_command(const configuration& how, const consume_options& options);

int get_command(const application& app, const configuration& how,
                const std::string& store, const std::string& key,
                std::optional<int> task);
int dump_command(const application& app, const configuration& how,
                 const std::string& store);
int topology_command(const application& app, const configuration& how,
                     bool json);
int reset_command(const configuration& how, bool yes);
struct resume_options {
  /// Unset: only list what is parked.
  std::optional<int> task;
  parked_decision decision = parked_decision::resume;
  std::string reason;
  bool json = false;
};
int resume_command(const configuration& how, const resume_options& options);
int adopt_command(const configuration& how, std::optional<int> only, bool yes);

/// Prints "weir: <text>" to stderr and answers the code for it.
int report(const error& why);

/// To be returned once everything is printed: `failed`, with the reason, where
/// standard output did not take it all.
int finish_output();

} // namespace weir
