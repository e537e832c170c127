// The stream system interface: everything weir asks of a partitioned log.
//
// Two implementations pass the same conformance suite: `embedded` (a log in one
// LevelDB directory) and `kafka` (librdkafka). Words are Kafka's.
//
// Threads: `stream_system` is thread-safe. Functions marked [blocking] may wait
// for disk or network: actors call them only through an `executor`. All others
// return at once and may be called from an actor.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/error.hpp"
#include "weir/record.hpp"

namespace weir {

enum class isolation { read_committed, read_uncommitted };

/// Offsets of a partition: `low` is the first that may still exist; `high` is
/// one past the last. With `read_committed` high is the last stable offset
/// (the committed end), with `read_uncommitted` the high watermark.
struct watermarks {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

/// Of a topic to be read that is created without being told.
inline constexpr int default_partitions = 8;

/// What a topic is created with, and what it is found to have. `config` uses
/// Kafka's names ("cleanup.policy", "retention.ms", …).
struct topic_settings {
  int partitions = 0;
  /// Copies of each partition; 0 = 3 where the cluster has three brokers or
  /// more, else 1 (rule L10).
  int replication = 0;
  std::map<std::string, std::string> config;
};

/// Records polled from one reader. Owns the memory that its records view; reuse
/// one batch for a reader's life to avoid allocation.
class record_batch {
public:
  /// The implementation's own part: keeps the native messages alive.
  class holder {
  public:
    virtual ~holder() = default;
    virtual void release() noexcept = 0;
  };

  record_batch() = default;
  record_batch(const record_batch&) = delete;
  record_batch& operator=(const record_batch&) = delete;
  ~record_batch() { clear(); }

  std::span<const record> records() const noexcept { return records_; }
  bool empty() const noexcept { return records_.empty(); }
  std::size_t size() const noexcept { return records_.size(); }

  /// Invalidates every record of this batch.
  void clear() noexcept {
    records_.clear();
    if (holder_)
      holder_->release();
  }

  // -- for the stream implementations

  std::vector<record>& mutable_records() noexcept { return records_; }
  holder* native() noexcept { return holder_.get(); }
  void set_native(std::unique_ptr<holder> x) { holder_ = std::move(x); }

private:
  std::vector<record> records_;
  std::unique_ptr<holder> holder_;
};

/// Reads one partition. Used by one thread at a time (its actor).
/// Destroying it ends its callback: none is running or comes afterwards.
/// A batch must be cleared before the stream system that filled it is gone, not
/// before its reader is.
class partition_reader {
public:
  virtual ~partition_reader() = default;

  /// Clears `out` and fills it with up to `max` records, without blocking.
  /// An empty batch means: nothing now, `on_ready` will be called. A full or
  /// partial batch means: poll again before waiting for the callback.
  /// Errors: `offset_out_of_range` (position below low or above high: the
  /// reader does not move by itself), `corruption` (a checksum),
  /// `not_found` (topic deleted), `rejected`. Transient errors (broker away)
  /// are not reported: the reader goes on by itself when the broker is back.
  virtual result<void> poll(record_batch& out, std::size_t max) = 0;

  /// The offset of the next record to read, as far as it is known: after the
  /// last polled record, or after the markers and aborted records behind it
  /// once the end of the partition was seen.
  virtual std::int64_t position() const noexcept = 0;

  /// Whether the last poll saw the end (for its isolation level) at
  /// `position()`, with its last record or without any.
  virtual bool at_end() const noexcept = 0;
};

struct reader_options {
  std::string topic;
  std::int32_t partition = 0;
  /// Offset of the first record wanted. Explicit: policies are resolved by the
  /// caller (rule R3). May be the end; may not exceed it.
  std::int64_t start = 0;
  isolation level = isolation::read_committed;
  /// About how many bytes of keys and values may be in memory before they are
  /// polled. A record that is larger is read all the same.
  std::size_t read_ahead_bytes = 2u << 20;
  /// Called from any thread when the reader turns from empty to non-empty
  /// (records, the end of the partition, or an error to fetch by poll); may be
  /// called without need. Must not call back into the reader; it sends a
  /// message.
  std::function<void()> on_ready;
};

/// A topic as a producer knows it; valid for the producer that made it.
struct topic_ref {
  int index = -1;
  int partitions = 0;
};

/// Told what became of one record. Must outlive the record's delivery or its
/// producer. Called once, on a thread of the producer, must not block.
class delivery_listener {
public:
  virtual ~delivery_listener() = default;
  /// The broker has the record at `offset`; -1 when the broker did not say
  /// (rule R6: then keep the older position).
  virtual void delivered(std::int64_t offset) noexcept = 0;
  /// It does not want to know the offsets: then `all_delivered` may be called
  /// instead, for `count` records at once.
  virtual bool only_counts() const noexcept { return false; }
  virtual void all_delivered(std::int64_t count) noexcept {
    for (; count > 0; --count)
      delivered(-1);
  }
  virtual void failed(const error& why) noexcept = 0;
};

/// A record to send. Views are copied by `send`.
struct outgoing {
  topic_ref topic;
  std::int32_t partition = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::span<const header> headers;
  /// Milliseconds since the epoch; -1 = the producer's wall clock now.
  std::int64_t timestamp = -1;
};

/// How a transaction's commit ended. Anything but an engaged result is a failed
/// lane (rule L3): the outcome is never guessed.
struct commit_report {
  /// Rule L4: the commit was slow, a socket closed or a request timed out while
  /// it ran. It succeeded, but the id must be retired before the next begin.
  bool retire_id = false;
};

/// Sends records; thread-safe. Order is kept per partition for one calling
/// thread. acks=all and idempotent always.
class producer {
public:
  virtual ~producer() = default;

  /// [blocking] Makes `topic` known and warm (rule L9).
  /// Errors: `not_found`, `timed_out`, `rejected`.
  virtual result<topic_ref> open_topic(const std::string& topic) = 0;

  /// Takes the record or refuses it, never blocks.
  /// Errors: `queue_full` (keep it, try again in a few ms), `too_large` (names
  /// topic, size and limit), `fenced`, `transaction_failed` (give the lane up).
  virtual result<void> send(const outgoing& x,
                            delivery_listener* listener = nullptr) = 0;

  /// Whether `send` would take a record of this size, as far as is known without
  /// asking. Does not block. Errors: `too_large`, as `send`.
  virtual result<void> fits(const outgoing& x) const {
    static_cast<void>(x);
    return {};
  }

  /// The open transaction has reached `transaction_bytes`: commit it before
  /// more is processed. `send` still takes what completes it. Does not block.
  virtual bool wants_commit() const noexcept { return false; }

  /// A hint that nothing is about to follow what was sent: it need not wait for
  /// company as long as `linger`. Does not block.
  virtual void hasten() noexcept {}

  /// Waits until every record sent before the call is acknowledged and takes no
  /// room in the queue any more. [blocking]
  /// Errors: `timed_out`, the first delivery error since the last flush.
  virtual result<void> flush(std::chrono::milliseconds limit) = 0;

  // -- transactional producers only

  /// Begins a transaction; local, does not block.
  virtual result<void> begin() = 0;

  /// [blocking] Commits; repeats retriable errors until the transaction
  /// timeout (rule L3). Every listener has been called when it returns
  /// success. After any error the producer is finished: destroy it.
  /// Errors: `fenced`, `transaction_failed`.
  virtual result<commit_report> commit() = 0;
};

struct producer_options {
  /// Empty = a plain idempotent producer without transactions.
  std::string transactional_id;
  /// Rule L9: session timeout + T_c + margin.
  std::chrono::milliseconds transaction_timeout{20'000};
  /// How long a record may wait for others that leave with it.
  std::chrono::milliseconds linger{5};
  /// Between two departures that `hasten` asked for; from `linger` on it has no
  /// effect.
  std::chrono::milliseconds hastened_linger{5};
  /// Byte bound of the local queue; `send` answers `queue_full` beyond it.
  std::size_t queue_bytes = 16u << 20;
  /// Where an open transaction is kept in memory (the embedded log): its size
  /// from which `wants_commit` answers true.
  std::size_t transaction_bytes = 32u << 20;
  /// Topics that will be opened, where they are known: what is sent together is
  /// kept within what each of them takes.
  std::vector<std::string> topics;
};

/// A finding about the cluster (rule L10).
struct cluster_finding {
  /// With three brokers or more the job refuses to start on such a finding
  /// unless told `--allow-weak`; with fewer it warns.
  std::string text;
  /// What to set to cure it.
  std::string cure;
};

class stream_system {
public:
  virtual ~stream_system() = default;

  /// "kafka 127.0.0.1:9092" or "embedded /path".
  virtual std::string describe() const = 0;

  // -- topics, all [blocking]

  /// The topic, or nothing if it does not exist. Never creates it.
  virtual result<std::optional<topic_settings>>
  describe_topic(const std::string& topic) = 0;
  /// Returns when the topic can be used. Errors: `already_exists`, …
  virtual result<void> create_topic(const std::string& topic,
                                    const topic_settings& settings) = 0;
  /// Errors: `not_found`. Returns when the topic is gone.
  virtual result<void> delete_topic(const std::string& topic) = 0;
  using partition_offsets = std::vector<std::pair<std::int32_t, std::int64_t>>;

  /// Deletes what lies below an offset of each partition: its low watermark is
  /// at least that afterwards. An offset above the high watermark is refused,
  /// one below the low watermark changes nothing. Durable when answered; after
  /// an error it may have happened in some of them.
  /// Errors: `not_found`, `offset_out_of_range`, `rejected`, `timed_out`.
  virtual result<void> delete_records(const std::string& topic,
                                      const partition_offsets& below) = 0;
  virtual result<watermarks> query_watermarks(const std::string& topic,
                                              std::int32_t partition,
                                              isolation level) = 0;
  /// Rule L10; empty = nothing to say. After the first transactional producer.
  virtual result<std::vector<cluster_finding>>
  check_cluster(const std::vector<std::string>& changelogs) = 0;
  /// Number of brokers (1 for embedded).
  virtual result<int> broker_count() = 0;

  // -- group offsets, all [blocking]: for lag tools, never the authority

  virtual result<std::vector<std::optional<std::int64_t>>>
  group_offsets(const std::string& group, const std::string& topic,
                int partitions) = 0;
  virtual result<void> commit_group_offsets(
      const std::string& group, const std::string& topic,
      const std::vector<std::pair<std::int32_t, std::int64_t>>& offsets) = 0;
  /// Not an error if there is none.
  virtual result<void> delete_group(const std::string& group) = 0;

  // -- readers and producers

  /// [blocking]
  virtual result<std::unique_ptr<partition_reader>>
  open_reader(reader_options options) = 0;

  /// [blocking] A transactional producer comes back with its id initialised:
  /// exactly once per handle (rule L2). Destroying a producer abandons what it
  /// has not committed; [blocking] too.
  virtual result<std::unique_ptr<producer>>
  open_producer(producer_options options) = 0;

  /// [blocking] Makes the producer with this id unable to commit, ends its open
  /// transaction, and returns when that is certain (rule C5). Errors mean: not
  /// fenced; try again: `timed_out`, `disconnected`, `fenced` (a race with
  /// another fencer).
  virtual result<void> fence(const std::string& transactional_id,
                             std::chrono::milliseconds limit) = 0;
};

} // namespace weir
