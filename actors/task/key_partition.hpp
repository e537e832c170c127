// Which task the key of a store belongs to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "weir/job.hpp"

namespace weir {

/// A key of a store is the key of the records that change it, or begins with
/// it. That key's partition is known where an input or internal topic of the
/// job has keys of that type: by murmur2 of its bytes there, as Kafka's clients
/// have it. One thread.
class key_partition {
public:
  /// `store`: a part of it. @pre `of` outlives it
  key_partition(const job& of, const part& store);

  /// Nothing can be said: a `local` store, no such topic, or keys that commands
  /// cannot show.
  bool is_known() const noexcept { return topic_key_ != nullptr; }
  /// `stored`: the key's bytes in the store. None = it does not decode.
  std::optional<int> of(std::string_view stored, int partitions) const;
  /// What is wrong with a key that is in this task; nothing = it belongs there,
  /// or that is not known.
  std::optional<std::string> problem(std::string_view stored, int partition,
                                     int partitions) const;

private:
  const part& store_;
  const detail::text_ops* topic_key_ = nullptr;
  /// The records' key is the first part of the store's.
  bool by_first_part_ = false;
};

} // namespace weir
