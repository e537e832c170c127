// The real outside of a process, as the settings ask for it.
#pragma once

#include "actors/base/node_context.hpp"

namespace weir {

/// [blocking] Opens the embedded database, or the Kafka and ZooKeeper clients.
/// Errors: `locked` naming the process that has the directory, `bad_argument`,
/// `io_error`. Servers that are away show in the first call.
result<outside_systems> open_systems(const settings& how);

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
