// How a restore's changes get into the database: in bounded batches, and a
// commit's only once it is complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "runtime/leveldb/backend.hpp"
#include "stores/database/metadata.hpp"
#include "weir/error.hpp"

namespace weir {

/// Owned by a restorer, on its thread. Every function answers the errors of the
/// store.
///
/// Records are *held* until their commit is complete: in memory, and beyond the
/// bound *staged* in the database under a reserved prefix. Only in a store
/// without any commit they are written in place at once, because a first
/// restore would write everything twice otherwise: if no commit turns out to
/// be there, the whole state is erased again.
///
/// After a crash the database has the `restoring` mark and a commit with its
/// position; what is staged is erased by the next restore. A commit may have
/// been unstaged in part: the next restore, which goes on before that commit,
/// writes it again (R6).
class restore_writer {
public:
  restore_writer(backend& store, const database_metadata& metadata,
                 std::size_t batch_bytes, std::int64_t started_ms);

  result<void> hold(std::string_view key,
                    std::optional<std::string_view> value);
  std::uint64_t held() const noexcept { return held_count_; }

  /// What is held is complete and belongs to the state of `commit`, whose
  /// record ends before `position`.
  result<void> complete(const commit_record& commit, std::int64_t position);

  /// What is held is not part of any state; adds its keys to `torn`.
  result<void> discard(std::set<std::string>& torn);

  /// Writes what is complete. The mark stays, or comes.
  result<void> flush();
  /// The same, and removes the mark. @pre nothing is held
  result<void> finish();

private:
  result<void> spill();
  result<void> unstage();
  result<void> erase_staged(std::set<std::string>* torn);
  result<void> erase_state(std::set<std::string>& torn);
  result<void> write(change_batch& x);

  backend& store_;
  std::size_t batch_bytes_;
  std::int64_t started_ms_;
  bool marked_;
  /// A crashed restore may have left staged records.
  bool leftovers_;
  /// There is no commit in the store: see above.
  bool in_place_;
  /// Perhaps by the restore that this one continues.
  bool wrote_in_place_;

  change_batch held_;
  std::uint64_t held_count_ = 0;
  std::uint64_t staged_ = 0;

  /// Changes of complete commits, and the last of these.
  change_batch ready_;
  std::optional<commit_record> commit_;
  std::int64_t position_ = 0;
};

} // namespace weir
