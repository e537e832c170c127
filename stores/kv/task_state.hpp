// The state of a task: its stores, and their way through a commit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/leveldb/backend.hpp"
#include "stores/kv/store_context.hpp"
#include "stores/kv/store_core.hpp"
#include "weir/error.hpp"
#include "weir/store.hpp"

namespace weir {

struct task_state_options {
  /// Bytes of unchanged values kept decoded, over all stores of the task. 8 MiB
  /// hold some 40,000 small values; with eight tasks a node that is 64 MiB.
  std::size_t cache_bytes = 8u << 20;
};

/// What a seal found; the commit record carries it (R2).
struct seal_summary {
  /// Changelog records of this commit, without the commit record.
  std::uint64_t records = 0;
  /// `record_checksum` over them in order.
  std::uint64_t checksum = 0;
  /// Digest of the whole state as it will be once this commit is applied.
  std::uint64_t digest = 0;
};

/// Digest of a state: the sum of `entry_hash` over all entries of all stores,
/// mod 2^64, so that it depends on the set of entries and not on their history.
/// Reads the whole database. Errors: those of the backend.
result<std::uint64_t> compute_digest(backend& database);

/// Owns the typed stores of one task over its database. Used by one thread at a
/// time, that of the task's actor. The order of a commit (design, section 4):
///
///     ┌────────► open ──seal──► sealed ──apply──┐
///     │            │               │            │
///     └────────────┴──── drop ◄────┘ ◄──────────┴── error
///
/// Gets, puts and scans work in both states. At most one sealed overlay exists
/// (L5). Each record of input may be bracketed by begin_record and
/// accept_record or undo_record.
///
/// After a crash the database holds exactly what the last successful `apply`
/// left: nothing of it is written earlier, and an apply is one atomic batch.
class task_state {
public:
  /// `digest` is that of the database's state: from its commit record, 0 for an
  /// empty one. @pre `database` outlives this object
  explicit task_state(backend& database, task_state_options options = {},
                      std::uint64_t digest = 0);
  ~task_state();
  task_state(const task_state&) = delete;
  task_state& operator=(const task_state&) = delete;

  /// The store with this number (1 to 250), which stands before its keys in
  /// database and changelog: never give a number to another store later. The
  /// name is for people. A second call for the same store answers the same one.
  /// Throws `store_error` with `bad_argument` for a bad number, or one that is
  /// in use under another name or with other types.
  detail::store_core& open(int number, const std::string& name,
                           const detail::store_spec& spec);
  template <class K, class F>
  kv_store<K, F> open(int number, const std::string& name) {
    return kv_store<K, F>{open(number, name, detail::spec_of<K, F>)};
  }

  // -- one record

  /// Writes from here on can be undone. @pre no record is begun
  void begin_record() noexcept;
  /// The record's writes stay.
  void accept_record() noexcept;
  /// Every store is again as it was at begin_record.
  void undo_record();
  /// Encodes what the record has changed so far, as a seal would. Throws what a
  /// serde throws. @pre a record is begun
  void visit_record(const seal_sink& visit) const;

  // -- commit

  /// Freezes the changes since the last seal. `sink` (may be empty) gets each
  /// changed key once, in the order `sealed_changes` has too; it may not call
  /// a store. Processing can go on at once.
  /// Errors: those of the backend, `bad_format` from a serde. After an error
  /// only `drop` is allowed (L3).
  /// @pre no record is begun and nothing is sealed (L5)
  result<seal_summary> seal(const seal_sink& sink = {});

  /// The sealed records, until they are applied: a producer whose queue is full
  /// goes on from here instead of keeping a copy of what the sink got.
  const change_batch& sealed_changes() const noexcept { return frozen_; }
  bool sealed() const noexcept { return sealed_; }

  /// The commit succeeded: writes the sealed changes and `metadata` (reserved
  /// keys) as one batch. Errors: those of the backend; nothing was written
  /// then, the database is closed, and only `drop` is allowed (L7).
  /// @pre sealed
  result<void> apply(const change_batch& metadata, bool sync = false);

  /// No seal follows: every put and erase throws `store_error` with `closed`
  /// from now on.
  void close() noexcept {
    context_.closed = "the task's last commit is over, what is written now "
                      "would be lost";
  }

  /// Gives back what makes the next commit cheaper: the cache and spare room.
  /// For a task that has nothing to do for a while. Not during a scan.
  void release_spare();

  /// Forgets everything that is not in the database, the cache too. Handles
  /// stay valid. A failed incarnation of a task calls it before it is
  /// destroyed.
  void drop();

  // -- figures

  /// Bytes of the uncommitted values and of the sealed records: the lane
  /// commits early when they pass its bound.
  std::size_t overlay_bytes() const noexcept {
    return context_.overlay_bytes + frozen_.bytes();
  }
  /// Bytes of the evictable cache.
  std::size_t cache_bytes() const noexcept { return context_.clean_bytes(); }
  /// Keys changed since the last seal, over all stores.
  std::size_t changed() const noexcept;
  /// Digest of the state as of the last apply.
  std::uint64_t digest() const noexcept { return digest_; }
  /// Compares `digest()` with what the database holds: a full read.
  /// Errors: `corruption`, those of the backend.
  result<void> verify_digest();

private:
  detail::store_context context_;
  std::map<int, std::unique_ptr<detail::store_core>> stores_;
  change_batch frozen_;
  std::uint64_t digest_;
  std::uint64_t sealed_digest_ = 0;
  bool sealed_ = false;
  bool failed_ = false;
};

} // namespace weir
