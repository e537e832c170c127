// The state of a stopped job, as `get` and `dump` read it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/commands/commands.hpp"
#include "actors/commands/offline.hpp"

namespace weir {

/// The databases of a stopped job on this machine, and the store that was asked
/// for. While it lives no other process can run these tasks.
struct stopped_job {
  outside_systems systems;
  job_node node;
  const part* store = nullptr;
  /// Of the store's keys in a task's database.
  std::string prefix;
  struct task_state {
    int partition = 0;
    std::unique_ptr<task_database> database;
    backend& store() const { return database->store(); }
  };
  std::vector<task_state> databases;
  /// Whether `databases` hold the last committed state of every task. What is
  /// wrong was told on stderr.
  bool complete = true;

  stopped_job() = default;
  stopped_job(const stopped_job&) = delete;
  stopped_job& operator=(const stopped_job&) = delete;
  ~stopped_job();
};

/// [blocking] `store` empty: the first of the job.
/// Errors: `bad_argument`, `not_found` (no job, no store, no state at all),
/// `locked` naming the process that runs the job.
result<void> open_stopped_job(const application& app, const configuration& how,
                              const std::string& store, stopped_job& out);

} // namespace weir
