// What the commands `generate` and `produce` do: send a source's records to a
// topic.
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

/// A record to be sent. Its text is overwritten by the next one's.
struct fed_record {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  /// Milliseconds since the Unix epoch; none = the producer's clock.
  std::optional<std::int64_t> timestamp;
  /// None = murmur2 of the key; without a key one after the other.
  std::optional<std::int32_t> partition;
};

/// Where a feeder takes its records from. Used by one thread.
class feed_source {
public:
  virtual ~feed_source() = default;
  /// False at the end. Errors name the place in the source.
  virtual result<bool> next(fed_record& x) = 0;
  /// How many records there are, where that is known beforehand.
  virtual std::optional<std::uint64_t> total() const { return std::nullopt; }
};

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
  /// Whether a topic that is missing is made.
  bool create = true;
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
  /// All of them are acknowledged.
  std::uint64_t records = 0;
  /// Why the source ended before its end.
  std::optional<error> problem;
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
/// times may be old), sends every record of `source` and returns when all are
/// acknowledged. Where the source fails, what came before is written, and the
/// error is the source's. [blocking] Runs on the caller's thread, which is a
/// command's and never an actor's.
///
/// After a crash in the middle the topic holds a part of the records: nothing
/// here is transactional. That part is why the next run wants `append`.
///
/// Errors: `already_exists` (the topic has records), `bad_argument` (another
/// number of partitions), the source's and the stream system's own.
result<feed_report> feed(stream_system& streams, feed_source& source,
                         const feed_options& options,
                         feed_timer* timer = nullptr);
/// The same of what an application generates.
result<feed_report> feed(stream_system& streams, record_source& source,
                         const feed_options& options,
                         feed_timer* timer = nullptr);

} // namespace weir
