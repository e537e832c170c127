// What the embedded log keeps in memory of its topics and partitions.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/embedded/log/log_format.hpp"
#include "runtime/stream/stream.hpp"

namespace weir {

/// A reader's callback, shared by the reader and by whoever may have to wake
/// it. After `close` returned, the callback is not running and never will be.
class wake_slot {
public:
  explicit wake_slot(std::function<void()> call) : call_(std::move(call)) {}

  void fire() {
    std::lock_guard lock{mutex_};
    if (call_)
      call_();
  }

  void close() {
    std::lock_guard lock{mutex_};
    call_ = nullptr;
  }

  /// Whether it stands in its partition's list; guarded by that partition.
  bool armed = false;

private:
  std::mutex mutex_;
  std::function<void()> call_;
};

using wake_list = std::vector<std::shared_ptr<wake_slot>>;

/// The settings of a topic that the log itself acts on.
struct topic_policy {
  /// `cleanup.policy` has "delete" (or "compact").
  bool expire = true;
  bool compact = false;
  /// `message.timestamp.type` is LogAppendTime.
  bool append_time = false;
  /// -1 = for ever.
  std::int64_t retention_ms = -1;
  std::int64_t retention_bytes = -1;
  /// How long a tombstone stays; Kafka's default, a day.
  std::int64_t delete_retention_ms = 86'400'000;
  /// How long a superseded record of a compacted topic stays; Kafka's default.
  std::int64_t compaction_lag_ms = 0;
  /// Kafka's default: a mebibyte and its batch's overhead.
  std::int64_t max_message_bytes = 1'048'588;
};

/// Errors: `bad_argument` naming the setting.
result<topic_policy> parse_policy(const std::string& topic,
                                  const topic_settings& settings);

/// A record that will be removed once its time has come.
struct waiting_removal {
  std::int64_t appended = 0;
  std::int64_t offset = 0;
};

/// One partition. The first part is for readers, under its own mutex; the
/// second belongs to whoever holds the log's append mutex.
class log_partition {
public:
  explicit log_partition(log_format::partition_id x) : id(x) {}

  const log_format::partition_id id;

  /// A reader found the end at `position`: it is woken by the next commit, or
  /// told at once (false) that the end has moved meanwhile.
  bool arm(std::int64_t position, const std::shared_ptr<wake_slot>& slot);
  void disarm(const std::shared_ptr<wake_slot>& slot);
  log_format::bounds limits() const;
  /// Shows a commit to readers; who must be woken is added to `wake`.
  void publish(log_format::bounds limits, wake_list& wake);

  // -- under the append mutex

  /// Bytes of records, and the timestamp of the oldest: retention. A negative
  /// timestamp is not known: the record must be read.
  std::int64_t bytes = 0;
  std::int64_t oldest = -1;
  /// Compacted topics: the last marker (-1 = none), and what goes later, in
  /// order of offset.
  std::int64_t last_marker = -1;
  std::deque<waiting_removal> superseded;
  std::deque<waiting_removal> tombstones;
  /// A bounded copy of the newest part of the stored index; offset -1 = the key
  /// has no record.
  std::unordered_map<std::string, log_format::index_entry> index;

private:
  mutable std::mutex mutex_;
  log_format::bounds limits_;
  wake_list armed_;
};

/// One topic. Lives as long as somebody reads or writes it, also when deleted.
struct log_topic {
  std::string name;
  std::uint32_t id = 0;
  topic_settings settings;
  topic_policy policy;
  std::vector<std::unique_ptr<log_partition>> partitions;
  std::atomic<bool> deleted{false};

  log_partition* find(std::int32_t partition) const noexcept {
    auto i = static_cast<std::size_t>(partition);
    return partition >= 0 && i < partitions.size() ? partitions[i].get()
                                                   : nullptr;
  }
};

/// A topic as stored: JSON under its name.
std::string encode(const log_topic& topic);
/// Errors: `bad_format`.
result<std::shared_ptr<log_topic>> decode_topic(const std::string& name,
                                                std::string_view bytes);

/// "topic 'ticks' partition 3"
std::string name_of(const log_topic& topic, std::int32_t partition);

} // namespace weir
