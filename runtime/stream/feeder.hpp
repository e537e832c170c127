// What the command `generate` does: sends a source's records to a topic.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/stream/record_source.hpp"
#include "runtime/stream/stream.hpp"
#include "weir/error.hpp"

namespace weir {

struct feed_progress {
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  /// Of the source, where it knows.
  std::optional<std::uint64_t> total;
  std::chrono::nanoseconds elapsed{0};
};

struct feed_options {
  std::string topic;
  /// Partitions of the topic if it has to be created (default 8). If it exists
  /// and has another number, feeding is refused: it would scatter the keys.
  std::optional<int> partitions;
  /// Whether a topic that has records may be fed.
  bool append = false;
  /// Records per second; 0 = as fast as the stream system takes them.
  std::uint64_t rate = 0;
  /// How long the producer collects; also the resolution of `rate`'s effect.
  std::chrono::milliseconds linger{5};
  /// Without any acknowledgement for so long the feeder gives up: long enough
  /// for a broker's restart.
  std::chrono::milliseconds patience{120'000};
  /// Called about once a second on the feeding thread, and at the end.
  std::function<void(const feed_progress&)> on_progress;
  /// Asked all the time; true = send no more, flush, report.
  std::function<bool()> stop;
};

struct feed_report {
  std::uint64_t records = 0;
  std::vector<std::uint64_t> per_partition;
  std::chrono::nanoseconds took{0};
};

/// The time that pacing runs on; a test brings its own.
class feed_timer {
public:
  virtual ~feed_timer() = default;
  /// Since some fixed moment, never backwards.
  virtual std::chrono::nanoseconds now() = 0;
  virtual void wait_until(std::chrono::nanoseconds when) = 0;
};

/// Creates the topic if it is missing (without time-based retention: event
/// times may be old), sends every record of `source` to the partition that
/// murmur2 of its key gives, with the producer's time, and returns when all are
/// acknowledged. [blocking] Runs on the caller's thread, which is a command's
/// and never an actor's.
///
/// After a crash in the middle the topic holds a part of the records: nothing
/// here is transactional. That part is why the next run wants `append`.
///
/// Errors: `already_exists` (the topic has records), `bad_argument` (another
/// number of partitions), the source's and the stream system's own.
result<feed_report> feed(stream_system& streams, record_source& source,
                         const feed_options& options,
                         feed_timer* timer = nullptr);

} // namespace weir
