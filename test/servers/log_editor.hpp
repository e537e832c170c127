// Edits an embedded log behind the back of its producers: for tests that prove
// what a restore does with foreign, torn, truncated or compacted partitions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/embedded/log/log_format.hpp"
#include "runtime/leveldb/database.hpp"
#include "weir/error.hpp"

namespace weir {

struct log_topic;

namespace test {

/// A record as the editor writes and lists it.
struct edited_record {
  std::int64_t offset = -1;
  bool marker = false;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  std::int64_t timestamp = 0;
};

/// Works on the database while no stream system is open on it (a log that is
/// open has its bounds in memory). One thread. Every call is one synced write.
///
/// "Consistent" edits leave a log that opens: their effect is for the reader to
/// judge. "Damaging" ones must be found by the check on open, or by the poll.
/// Every function answers `not_found` for a topic, partition or offset that
/// does not exist.
class log_editor {
public:
  explicit log_editor(std::shared_ptr<embedded_database> database)
      : database_(std::move(database)) {}

  // -- looking

  /// Everything that is stored, markers included.
  result<std::vector<edited_record>> records(const std::string& topic,
                                             std::int32_t partition);
  result<log_format::bounds> limits(const std::string& topic,
                                    std::int32_t partition);

  // -- consistent edits

  /// Appends one record, without a transaction and its marker, and answers with
  /// its offset. In a compacted topic it supersedes like any other.
  result<std::int64_t> append(const std::string& topic, std::int32_t partition,
                              const edited_record& record);
  /// Replaces a record; key, value, headers and time are the new ones and the
  /// checksum fits. In a compacted topic the key must stay.
  result<void> rewrite(const std::string& topic, std::int32_t partition,
                       const edited_record& record);
  /// Compacted topics: takes one record out, index and all, as if its
  /// transaction had been torn.
  result<void> tear_out(const std::string& topic, std::int32_t partition,
                        std::int64_t offset);
  /// Removes every record from `from` on; the partition ends there.
  result<void> drop_tail(const std::string& topic, std::int32_t partition,
                         std::int64_t from);
  /// Removes every record below `low`, as retention or a truncation does.
  result<void> drop_head(const std::string& topic, std::int32_t partition,
                         std::int64_t low);
  /// Compacted topics: removes the superseded records of [from, to). There are
  /// some where the topic has a `min.compaction.lag.ms`.
  result<void> compact(const std::string& topic, std::int32_t partition,
                       std::int64_t from, std::int64_t to);

  // -- damaging edits

  /// Leaves a hole.
  result<void> remove(const std::string& topic, std::int32_t partition,
                      std::int64_t offset);
  /// Overwrites stored bytes from `at` on; the checksum stays as it was.
  result<void> damage(const std::string& topic, std::int32_t partition,
                      std::int64_t offset, std::size_t at,
                      std::string_view bytes);

private:
  struct place;
  result<place> find(const std::string& topic, std::int32_t partition);
  result<std::string> stored(const place& where, std::int64_t offset);
  result<std::optional<log_format::index_entry>>
  indexed(std::string_view index_key);
  /// Removes [from, to) of a partition and what the index says of it.
  result<void> remove_range(const place& where, log_format::bounds range,
                            log_format::bounds left);

  std::shared_ptr<embedded_database> database_;
};

} // namespace test
} // namespace weir
