// What ends, begins and takes over transactions (rules L2 to L4, C5).
#pragma once

#include <chrono>
#include <string>

#include "runtime/error.hpp"
#include "runtime/kafka/handle.hpp"
#include "runtime/kafka/requests.hpp"
#include "runtime/stream.hpp"

namespace weir::kafka {

/// `fenced`, `transaction_failed`, or where it makes sense the plain code;
/// looks at the code before the library's flags.
error transaction_error(handle& with, const rd_kafka_error_t& why,
                        std::string_view what);

/// The fatal error that a handle is in, if any.
std::optional<error> fatal_error(handle& with, std::string_view what);

/// Initialises the handle's id: aborts what its predecessor left open and
/// fences it. Repeats retriable errors until the deadline or the cancelling of
/// the job.
/// Errors: `disconnected`, `timed_out`, `fenced`, `rejected`, `bad_argument`.
result<void> init_transactions(handle& with, const std::string& id,
                               deadline until);

/// Only commit may be repeated (L3), until `limit` has passed or the job is
/// cancelled.
/// Errors: `fenced`, `transaction_failed`; the outcome is then unknown.
/// `socket_timeout` is the handle's (L4).
result<commit_report> commit_transaction(handle& with, const std::string& id,
                                         milliseconds limit,
                                         milliseconds socket_timeout);

} // namespace weir::kafka
