// How much a node has processed, each record once.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace weir {

struct record_count {
  /// Processed, skipped or dead-lettered.
  std::uint64_t records = 0;
  /// Of those: the bad ones.
  std::uint64_t skipped = 0;
  /// Deleted before they were read, and passed.
  std::uint64_t lost = 0;

  record_count& operator+=(const record_count& x) noexcept {
    records += x.records;
    skipped += x.skipped;
    lost += x.lost;
    return *this;
  }
  bool operator==(const record_count&) const = default;
};

/// Counts what this node's commits hold. An incarnation of a task that ended
/// without knowing what became of its commit leaves that to the next one, which
/// is restored from it or from the one before. Thread-safe.
///
/// Not counted is a commit of which no incarnation of this node learns: another
/// process has committed since, or the node ends.
class commit_counts {
public:
  /// A commit is on its way. `commit`: checksum of its commit record.
  void sealed(int partition, std::uint64_t commit, const record_count& x) {
    std::lock_guard guard{mutex_};
    open_[partition] = {commit, x};
  }
  /// That commit succeeded.
  void applied(int partition) {
    std::lock_guard guard{mutex_};
    settle(partition, std::nullopt);
  }
  /// An incarnation goes on from this commit; 0 = from none.
  void restored(int partition, std::uint64_t commit) {
    std::lock_guard guard{mutex_};
    settle(partition, commit);
  }

  record_count total() const {
    std::lock_guard guard{mutex_};
    return total_;
  }

private:
  struct open_commit {
    std::uint64_t commit;
    record_count count;
  };

  void settle(int partition, std::optional<std::uint64_t> commit) {
    auto i = open_.find(partition);
    if (i == open_.end())
      return;
    if (!commit || *commit == i->second.commit)
      total_ += i->second.count;
    open_.erase(i);
  }

  mutable std::mutex mutex_;
  std::map<int, open_commit> open_;
  record_count total_;
};

} // namespace weir
