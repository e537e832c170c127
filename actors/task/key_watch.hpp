// Whether the keys that a task keeps are its own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "actors/task/key_partition.hpp"
#include "weir/record.hpp"

namespace weir {

/// A count that is kept where its line lies, and not where its word does, is
/// wrong and looks right. Told of the first changes of each store, it writes
/// one warning a store; on the task's thread.
class key_watch {
public:
  /// `partitions` 0: nothing is looked at. @pre `of` outlives it
  key_watch(const job& of, int partition, int partitions)
      : job_(of), partition_(partition), partitions_(partitions) {}

  /// A store of the job; `number`: what its keys begin with in the changelog.
  void add(int number, std::string_view store);

  /// What is wrong with this key of the changelog.
  std::optional<std::string> problem(std::string_view key);
  /// A key that is committed.
  void look(std::string_view key) {
    if (left_ > 0) [[unlikely]]
      look_at(key);
  }
  /// A record that came with a key that murmur2 puts elsewhere: somebody else
  /// decides about partitions, and nothing can be said.
  void look(const record& x) {
    if (left_ > 0) [[unlikely]]
      look_at(x);
  }

private:
  struct watched {
    key_partition keys;
    int looks_left;
  };

  void look_at(std::string_view key);
  watched* store_of(std::string_view key);
  void look_at(const record& x);

  const job& job_;
  int partition_;
  int partitions_;
  /// Looks that are left, at all stores.
  int left_ = 0;
  /// By number.
  std::map<int, watched> stores_;
};

} // namespace weir
