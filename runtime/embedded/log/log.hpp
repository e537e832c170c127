// The embedded log: topics, and the one way in which records are appended.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/embedded/log/log_state.hpp"
#include "runtime/embedded/log/producer_epochs.hpp"
#include "runtime/leveldb/database.hpp"

namespace weir {

/// Records in the order they were sent, encoded but without offsets.
struct pending_records {
  struct item {
    std::shared_ptr<log_topic> topic;
    std::int32_t partition = 0;
    std::size_t at = 0;
    std::size_t size = 0;
    delivery_listener* listener = nullptr;
    std::int64_t offset = -1;
  };

  std::string bytes;
  std::vector<item> items;

  bool empty() const noexcept { return items.empty(); }
  /// Memory in use.
  std::size_t size() const noexcept {
    return bytes.size() + items.size() * sizeof(item);
  }
  /// Keeps the memory, up to a bound, for the next transaction.
  void clear();
};

/// A partitioned log in the embedded database; owned by the stream system and
/// by its readers and producers. Thread-safe.
///
/// Every append is one synced write batch: the records of all partitions, one
/// marker a partition where a transactional producer wrote, what compaction and
/// retention drop for them, and the new bounds. So after any crash a
/// transaction is there whole or not at all, and nothing that was acknowledged
/// is missing. Uncommitted records are in their producer's memory only.
class embedded_log : public std::enable_shared_from_this<embedded_log> {
public:
  /// Reads and checks the whole log. Errors: `corruption` naming topic,
  /// partition and offset, `io_error`.
  static result<std::shared_ptr<embedded_log>>
  open(std::shared_ptr<embedded_database> database,
       std::shared_ptr<outside_world> world);

  embedded_log(std::shared_ptr<embedded_database> database,
               std::shared_ptr<outside_world> world);

  embedded_database& database() noexcept { return *database_; }
  outside_world& world() noexcept { return *world_; }

  /// Null if there is no such topic.
  std::shared_ptr<log_topic> find(const std::string& name) const;
  /// Errors: `not_found` saying what to do.
  result<std::shared_ptr<log_topic>> get(const std::string& name) const;
  /// Errors: `already_exists`, `bad_argument`.
  result<void> create(const std::string& name, const topic_settings& settings);
  /// Errors: `not_found`.
  result<void> remove(const std::string& name);

  /// Deletes what is below an offset of a partition, in batches of a bounded
  /// size: after a crash some of it may be there again, from the low watermark
  /// on. Errors: `not_found`, `offset_out_of_range`, the database's.
  result<void> delete_below(const std::string& topic, std::int32_t partition,
                            std::int64_t offset);

  /// Makes every earlier handle of this id unable to commit: none is committing
  /// any more when this answers.
  result<producer_identity> initialise(const std::string& transactional_id);

  /// Appends all records or none and fills in their offsets. `who` is null for
  /// a plain producer. Readers are woken before this returns.
  /// Errors: `fenced`, `not_found` (a topic was deleted), and the database's.
  result<void> append(pending_records& records, const producer_identity* who);

private:
  friend class log_loader;

  result<void> append_locked(pending_records& records,
                             const producer_identity* who, wake_list& wake);
  result<void> remove_records(std::uint32_t topic);

  const std::shared_ptr<embedded_database> database_;
  const std::shared_ptr<outside_world> world_;
  /// Held by whoever writes to the log; before `topics_mutex_`.
  std::mutex append_mutex_;
  std::uint32_t next_topic_ = 1;
  producer_epochs epochs_;
  mutable std::mutex topics_mutex_;
  std::map<std::string, std::shared_ptr<log_topic>, std::less<>> topics_;
};

} // namespace weir
