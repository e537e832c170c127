// What a job does about its inputs.
#pragma once

namespace weir {

/// State is exactly-once in both (rule L1); they differ in when outputs become
/// visible and whether a failure can repeat them.
enum class guarantee { exactly_once, at_least_once };

/// What becomes of a record that cannot be decoded or that the task rejects.
enum class bad_record_policy { fail, skip, dead_letter };

/// Where a new job starts reading its inputs (rule R3).
enum class start_policy { earliest, latest };

} // namespace weir
