// What the commands for a stopped job share: the job's nodes and databases.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/commands/options.hpp"
#include "actors/host/systems.hpp"
#include "stores/database/task_database.hpp"

namespace weir {

/// A session for a command that runs alone, with calls that wait.
class waiting_session {
public:
  /// [blocking] Errors: those of `open_session`.
  static result<std::unique_ptr<waiting_session>>
  open(coordination_service& service);
  ~waiting_session();

  result<znode> get(const std::string& path);
  result<std::vector<std::string>> children(const std::string& path);
  result<void> remove(const std::string& path);
  result<void> set(const std::string& path, const std::string& data,
                   std::int32_t version);
  result<void> create(const std::string& path, const std::string& data);
  /// "znode '/chroot/weir/…'", as an operator's own client has to name it.
  std::string where(const std::string& path) const;

private:
  explicit waiting_session(std::unique_ptr<coordination> session);
  std::unique_ptr<coordination> session_;
};

/// The job node, or an error that says that the job does not exist.
result<job_node> read_job_node(waiting_session& session, const job& of);

/// A claim as it was read.
struct found_claim {
  claim_node claim;
  std::int32_t version;
};

/// None if there is no claim. Errors: those of reading it, `bad_format`.
result<std::optional<found_claim>> read_claim(waiting_session& session,
                                              const job& of, int partition);

/// The processes of the job's members, and of its claims' owners, that are
/// alive (rule C5), "process 4711 on host-a".
result<std::vector<std::string>>
live_members(waiting_session& session, const job& of, outside_world& world);

/// Errors: `locked` naming the processes that run the job.
result<void> refuse_live(waiting_session& session, const job& of,
                         outside_world& world);

/// [blocking] Shows `visit` the records of one partition from `where.start` to
/// before `end` (an end of `where.level`), until it answers false.
/// Errors: its own, those of the reader, `timed_out` when nothing comes.
result<void>
read_partition(stream_system& streams, reader_options where, std::int64_t end,
               const std::function<result<bool>(const record&)>& visit);

/// A task's database that is on this machine; null if there is none.
/// Errors: `locked` naming the process that runs the job, `io_error`.
result<std::unique_ptr<task_database>>
open_stopped(const configuration& how, const outside_systems& systems,
             const job_node& job, int partition);

} // namespace weir
