// One partition's part of one commit to the embedded log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/embedded/log/log_state.hpp"
#include "runtime/leveldb/database.hpp"

namespace weir {

/// Collects what a commit changes in one partition: new records, their marker,
/// and in the same batch what the topic's policy drops for it. Lives for one
/// commit, under the log's append mutex. The partition's memory changes only in
/// `committed`, after the batch was written.
///
/// Compaction: a record whose key comes again is dropped at once, or after
/// `min.compaction.lag.ms`; so are markers, of which the last one stays. A
/// tombstone goes after `delete.retention.ms`. Retention moves the low
/// watermark over the oldest records that are too old or too many, or below
/// what its owner does not need any more.
class partition_append {
public:
  partition_append(embedded_database& database, const log_topic& topic,
                   log_partition& partition, std::int64_t now,
                   embedded_batch& out);

  /// Seals the record, gives it the next offset and answers with that.
  result<std::int64_t> add(char* record, std::size_t size);
  void add_marker(std::string_view producer_id, std::uint64_t epoch);
  /// `finish` drops all records below this offset too, as far as it comes.
  void drop_below(std::int64_t offset) noexcept { below_ = offset; }
  /// Drops what the policy says and stores the bounds: the last step before
  /// the batch is written.
  result<void> finish();
  /// The batch was written.
  void committed(wake_list& wake);
  /// It was not.
  void abandoned();

  log_partition& partition() const noexcept { return partition_; }
  /// Whether `finish` stopped at its limit of work with more to drop.
  bool more_to_drop() const noexcept { return more_to_drop_; }
  bool dropped_something() const noexcept { return dropped_; }

private:
  result<log_format::index_entry> last_of(std::string_view key);
  result<void> replace(std::string_view key, std::int64_t offset,
                       bool tombstone);
  void supersede(std::int64_t offset);
  void put(std::string_view key, std::string_view record);
  void drop(std::int64_t offset);
  void drop_superseded();
  result<void> drop_tombstones();
  result<void> drop_old();
  result<void> forget(std::string_view key, std::int64_t offset);

  embedded_database& database_;
  const log_topic& topic_;
  log_partition& partition_;
  const std::int64_t now_;
  embedded_batch& out_;
  log_format::bounds limits_;
  std::string key_;
  std::int64_t bytes_;
  std::int64_t oldest_;
  std::int64_t last_marker_;
  std::int64_t below_ = 0;
  std::vector<waiting_removal> superseded_;
  std::vector<waiting_removal> tombstones_;
  std::size_t superseded_done_ = 0;
  std::size_t tombstones_done_ = 0;
  bool more_to_drop_ = false;
  bool dropped_ = false;
};

} // namespace weir
