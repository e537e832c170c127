// Offsets of a consumer group that nobody joins: kept for lag tools.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/error.hpp"
#include "runtime/kafka/handle.hpp"
#include "runtime/kafka/requests.hpp"

namespace weir::kafka {

result<std::vector<std::optional<std::int64_t>>>
list_group_offsets(handle& with, const std::string& group,
                   const std::string& topic, int partitions, deadline until);

/// Errors: `rejected` while the group has members.
result<void> alter_group_offsets(
  handle& with, const std::string& group, const std::string& topic,
  const std::vector<std::pair<std::int32_t, std::int64_t>>& offsets,
  deadline until);

/// Not an error if there is none.
result<void> delete_group(handle& with, const std::string& group,
                          deadline until);

} // namespace weir::kafka
