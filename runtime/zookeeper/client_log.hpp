// The C client's own log lines, led into weir's log.
#pragma once

namespace weir::zk {

/// Lets the client log warnings and errors only. Idempotent, thread-safe; the
/// level is one for the process.
void quieten_client_log();

/// A `log_callback_fn`: writes `zookeeper.client` events. A client without a
/// server tries again sixty times a session timeout and says so each time, so
/// at most ten lines are let through in ten seconds for the whole process; the
/// next one tells how many were left out.
void forward_client_log(const char* line);

} // namespace weir::zk
