#include "runtime/kafka/transaction.hpp"

#include <fmt/format.h>

#include "runtime/base/cancel.hpp"
#include "runtime/base/log.hpp"

namespace weir::kafka {

using std::chrono::steady_clock;

error transaction_error(handle& with, const rd_kafka_error_t& why,
                        std::string_view what) {
  auto code = rd_kafka_error_code(&why);
  if (auto fatal = fatal_error(with, what))
    return *fatal;
  return {is_fenced(code) ? ec::fenced : ec::transaction_failed,
          fmt::format("{}: {}: {}", what, rd_kafka_err2name(code),
                      rd_kafka_error_string(&why))};
}

std::optional<error> fatal_error(handle& with, std::string_view what) {
  char text[512] = {};
  auto code = rd_kafka_fatal_error(with.raw(), text, sizeof text);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return std::nullopt;
  return error{is_fenced(code) ? ec::fenced : ec::transaction_failed,
               fmt::format("{}: {}: {}", what, rd_kafka_err2name(code), text)};
}

result<void> init_transactions(handle& with, const std::string& id,
                               deadline until) {
  auto what = fmt::format("initialise producer id '{}'", id);
  for (;;) {
    // In slices, for a job that is cancelled; each call resumes the last one.
    error_ptr why{
        rd_kafka_init_transactions(with.raw(), left_ms(until, cancel_slice))};
    if (!why)
      return {};
    auto code = rd_kafka_error_code(why.get());
    if (rd_kafka_error_is_retriable(why.get()) && !passed(until))
      continue;
    if (is_unreachable(code))
      return fail(with.explain(code, what));
    if (is_fenced(code))
      return fail(ec::fenced, fmt::format("{}: {}", what,
                                          rd_kafka_error_string(why.get())));
    // Such as a missing ACL, or a time-out above the broker's limit.
    return fail(code_of(code), fmt::format("{}: {} ({})", what,
                                           rd_kafka_error_string(why.get()),
                                           rd_kafka_err2name(code)));
  }
}

result<commit_report> commit_transaction(handle& with, const std::string& id,
                                         const commit_watch& watch,
                                         milliseconds limit,
                                         milliseconds socket_timeout) {
  auto what = fmt::format("commit of producer '{}'", id);
  auto until = watch.started() + limit;
  for (;;) {
    // Bounded by the transaction's life, though the library recommends -1: it
    // would wait for a dead cluster for ever. In slices, so that a stop need
    // not wait either; each call resumes the last one. The handle is destroyed
    // after a time-out, so no state of it can go out of step.
    error_ptr why{
        rd_kafka_commit_transaction(with.raw(), left_ms(until, cancel_slice))};
    if (!why)
      break;
    if (rd_kafka_error_is_retriable(why.get()) && !passed(until) &&
        !is_fenced(rd_kafka_error_code(why.get()))) {
      if (rd_kafka_error_code(why.get()) != RD_KAFKA_RESP_ERR__TIMED_OUT)
        log_debug("kafka.commit_repeated", "producer", id, "reason",
                  rd_kafka_error_string(why.get()));
      continue;
    }
    if (job_cancelled())
      return fail(ec::transaction_failed,
                  what + ": given up before its outcome was known");
    return fail(transaction_error(with, *why, what));
  }
  // L4: a copy of EndTxn may still be under way and would end the next
  // transaction of this id.
  return watch.report(with, socket_timeout);
}

} // namespace weir::kafka
