// Offsets of a consumer group that nobody joins: kept for lag tools.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/kafka/handle.hpp"
#include "runtime/kafka/requests.hpp"
#include "weir/error.hpp"

namespace weir::kafka {

/// `member` is a consumer handle whose `group.id` is the group. The consumer's
/// own calls, not the admin ones: in 2.0.2 a `ListConsumerGroupOffsets` or
/// `AlterConsumerGroupOffsets` whose broker goes away can abort the process
/// (assertion `eonce->refcnt > 0`).
result<std::vector<std::optional<std::int64_t>>>
list_group_offsets(handle& member, const std::string& topic, int partitions,
                   deadline until);

/// Errors: `rejected` while the group has members.
result<void> commit_group_offsets(
    handle& member, const std::string& topic,
    const std::vector<std::pair<std::int32_t, std::int64_t>>& offsets,
    deadline until);

/// Not an error if there is none.
result<void> delete_group(handle& with, const std::string& group,
                          deadline until);

} // namespace weir::kafka
