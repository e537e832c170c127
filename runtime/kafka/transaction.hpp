// What ends, begins and takes over transactions (rules L2 to L4, C5).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "runtime/kafka/handle.hpp"
#include "runtime/kafka/requests.hpp"
#include "runtime/stream/stream.hpp"
#include "weir/error.hpp"

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

/// What L4 judges a commit by: how long it takes, and what goes wrong with the
/// handle's connections meanwhile. Made where the commit begins.
class commit_watch {
public:
  explicit commit_watch(const handle& with) : faults_(with.faults()) {}

  std::chrono::steady_clock::time_point started() const { return started_; }
  /// `socket_timeout` is the handle's.
  commit_report report(const handle& with, milliseconds socket_timeout) const {
    auto took = std::chrono::steady_clock::now() - started_;
    return {took > socket_timeout / 2 || with.faults() != faults_};
  }

private:
  std::uint64_t faults_;
  std::chrono::steady_clock::time_point started_ =
      std::chrono::steady_clock::now();
};

/// Only commit may be repeated (L3), until `limit` has passed since the watch
/// began or the job is cancelled.
/// Errors: `fenced`, `transaction_failed`; the outcome is then unknown.
result<commit_report> commit_transaction(handle& with, const std::string& id,
                                         const commit_watch& watch,
                                         milliseconds limit,
                                         milliseconds socket_timeout);

} // namespace weir::kafka
