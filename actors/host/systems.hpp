// The real outside of a process, as the settings ask for it.
#pragma once

#include "actors/base/node_context.hpp"

namespace weir {

/// [blocking] Opens the embedded database, or the Kafka and ZooKeeper clients.
/// One embedded directory is opened once in a process, and shared. What the
/// threads log goes to where the caller's does.
///
/// `on_too_many`: called once, on a thread of its own, when so many threads
/// hang in calls that do not come back that the process is better started anew
/// (rule H32); none = the process ends.
///
/// Errors: `locked` naming the process that has the directory, `bad_argument`,
/// `io_error`. Servers that are away show in the first call.
result<outside_systems>
open_systems(const settings& how,
             std::function<void(const std::string& job)> on_too_many = {});

/// [blocking] Only what topics are fed and read with; the last owner closes it.
/// Errors: as `open_systems`.
result<std::shared_ptr<stream_system>> open_streams(const settings& how);

/// [blocking] Ends the threads of the executors, then the systems. What hangs
/// on a server is waited for no longer than `patience`: then its names are the
/// answer, the systems stay open, and the process is to be ended by `_exit`.
std::vector<std::string>
close_systems(outside_systems& systems,
              milliseconds patience = std::chrono::hours{1});

/// This process (rule C5).
process_identity identify_process(outside_world& world);

/// As many open files as the limits allow: before the first database.
void raise_file_limit();

} // namespace weir
