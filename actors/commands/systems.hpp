// The real outside of a process, as the settings ask for it.
#pragma once

#include "actors/node_context.hpp"

namespace weir {

/// [blocking] Opens the embedded database, or the Kafka and ZooKeeper clients.
/// Errors: `locked` naming the process that has the directory, `bad_argument`,
/// `io_error`. Servers that are away show in the first call.
result<outside_systems> open_systems(const settings& how);

/// Ends the threads of the executors. [blocking]
void close_systems(outside_systems& systems);

/// This process (rule C5).
process_identity identify_process(outside_world& world);

/// As many open files as the limits allow: before the first database.
void raise_file_limit();

} // namespace weir
