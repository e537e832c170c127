// Restore: a changelog's records become the state of its last commit.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/leveldb/backend.hpp"
#include "runtime/stream/stream.hpp"
#include "stores/database/metadata.hpp"
#include "weir/error.hpp"
#include "weir/record.hpp"

namespace weir {

/// Where a restore reads from: the record before the store's position, which
/// must be the commit that the store names (R5), or the changelog's beginning
/// for a store without a commit. `limits` are the changelog's, high read
/// uncommitted (R4).
/// Errors: `offset_out_of_range` (the position lies below what the changelog
/// still holds: rebuild), `data_loss` (the changelog is shorter than the store
/// knows it: recreated or truncated).
result<std::int64_t> restore_start(const database_metadata& metadata,
                                   const watermarks& limits);

struct restore_options {
  /// For messages: "stock-changelog/3".
  std::string changelog;
  /// Of the job: commits of another one are refused.
  std::string generation;
  /// From `restore_start`.
  std::int64_t start = 0;
  /// Wall clock, ms, when the restore began; and how long it may take: half of
  /// the changelog's `delete.retention.ms` (R9).
  std::int64_t started_ms = 0;
  std::chrono::milliseconds limit = std::chrono::hours{84};
  /// See `birth_evidence`.
  std::int64_t empty_below = 0;
  /// Bound of memory, and about the size of a batch: large enough that the
  /// cost of a batch does not show.
  std::size_t batch_bytes = 4u << 20;
};

/// What the reader of the changelog does next.
enum class restore_step {
  go_on,
  /// The cleaner may have swapped segments under the reader: read again from
  /// `restore_options::start` (R1). Happens once.
  read_again,
};

/// A key of a torn transaction with its value in the restored state (none = it
/// has none): to be written again in the first commit of the new owner (R7).
struct torn_key {
  std::string key;
  std::optional<std::string> value;
};

struct restore_summary {
  /// Records and their bytes that were applied, and commits.
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t commits = 0;
  /// Records of torn transactions, also of those whose keys were written again.
  std::uint64_t torn_records = 0;
  /// What was not: report it loudly.
  std::vector<torn_key> torn_keys;
  /// The commit whose state this is; none = there never was one.
  std::optional<commit_record> commit;
  /// R12: after the last commit record applied, not the target.
  std::optional<std::int64_t> position;
  /// Of every record seen and of the store; the owner's must be above (C4).
  std::uint64_t highest_epoch = 0;
  /// Whether read committed the changelog held any record from `start` and from
  /// `empty_below` on.
  bool any_record = false;
};

/// A plain state machine: fed with the changelog's records (read committed, up
/// to the target of R4), it writes to the store in bounded batches. Owned by
/// whoever drives the restore, one thread at a time.
///
/// The state of a commit becomes visible with its commit record only. What is
/// not complete waits in memory, or, beyond `batch_bytes`, in the database
/// under reserved keys. Only the list of torn keys is not bounded: it is as
/// large as one transaction's overlay was.
///
/// After a crash the store has the `restoring` mark, a commit and a position to
/// go on from; a new restorer continues it (R6).
///
/// What was built from the changelog alone is compared with the digest of its
/// last commit as a whole, because the first commit record proves nothing of
/// the records before it.
///
/// Errors are final: `corruption` (R1, R5, R8, a foreign record, another
/// generation), `bad_format` (a newer format), `timed_out` (R9), and those of
/// the store.
class restorer {
public:
  /// `metadata` as found in `store`.
  restorer(backend& store, const database_metadata& metadata,
           restore_options options);
  restorer(const restorer&) = delete;
  restorer& operator=(const restorer&) = delete;
  ~restorer();

  result<restore_step> feed(const record& x);

  /// The reader is at the end: `end` is its position there, `now_ms` the wall
  /// clock. Confirm the claim before (R12): this removes the mark.
  result<restore_summary> finish(std::int64_t end, std::int64_t now_ms);

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// Reads the whole state and compares its digest with that of the commit (none
/// = empty state). Errors: `corruption`, and those of the store.
result<void> verify(backend& store, const std::optional<commit_record>& commit);

/// What is known about a task's past (S2).
struct birth_evidence {
  /// The claim's mark.
  bool born = false;
  bool has_snapshot = false;
  /// Read uncommitted, after the fence.
  watermarks changelog;
  /// Whether the changelog, read committed from its low watermark to `high`,
  /// held any record that is not below `empty_below`.
  bool any_record = false;
  /// Of the claim: an operator accepted that no state comes from below.
  std::int64_t empty_below = 0;
};

/// Whether there provably never was a commit, so that a new, empty state is
/// right. Everything else without a state is a loss that needs the operator.
///
/// Beside a high watermark of 0 there is a second proof: a crash within the
/// very first transaction leaves aborted records and a marker, so that the high
/// watermark is above 0 though nothing was committed. A changelog that still
/// starts at offset 0 and holds no record read committed proves it as well:
/// compaction never removes the last record of a key, so one commit record
/// would still be there.
bool is_provably_new(const birth_evidence& x) noexcept;

} // namespace weir
