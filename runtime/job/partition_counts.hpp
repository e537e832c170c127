// Whether a job's inputs still have the partitions that it was created with.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/stream/stream.hpp"
#include "weir/job.hpp"

namespace weir {

/// Partitions by topic; none = the topic does not exist.
using partition_counts = std::map<std::string, std::optional<int>>;

/// [blocking] Of the job's inputs, as they are now. Errors: those of
/// `describe_topic`.
result<partition_counts> count_partitions(stream_system& streams,
                                          const job& of);

/// Each input whose count is not the job's any more (rule R11): what that does
/// to the job, and what to do. Empty = all is well. Nothing else reports a
/// topic that grows under a running job: its new partitions are not read.
std::vector<cluster_finding> compare_partitions(int created_with,
                                                const partition_counts& now);

} // namespace weir
