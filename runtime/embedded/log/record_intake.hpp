// What both kinds of the embedded log's producers do with a record to send.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/embedded/log/log.hpp"

namespace weir {

/// The topics that a producer opened, and the checks and encoding of its
/// records. Not thread-safe: its producer's mutex guards it.
class record_intake {
public:
  explicit record_intake(std::shared_ptr<embedded_log> log)
      : log_(std::move(log)) {}

  embedded_log& log() noexcept { return *log_; }

  /// Errors: `not_found`.
  result<topic_ref> open(const std::string& topic);

  /// Whether its topic takes a record of this size. Errors: as `take`.
  result<void> fits(const outgoing& x) const;
  /// Copies a record behind the others. Errors: `too_large`, `not_found` (the
  /// topic was deleted), `rejected` (no key, but a compacted topic),
  /// `bad_argument`.
  result<void> take(const outgoing& x, delivery_listener* listener,
                    pending_records& to);

private:
  result<std::shared_ptr<log_topic>> target(const outgoing& x) const;

  const std::shared_ptr<embedded_log> log_;
  std::vector<std::shared_ptr<log_topic>> topics_;
};

/// Calls every listener once, with its record's offset or with the error, and
/// clears the records.
void settle(pending_records& records, const result<void>& outcome);

} // namespace weir
