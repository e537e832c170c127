// What a job does about its inputs.
#pragma once

namespace weir {

/// What becomes of a record that cannot be decoded or that the task rejects.
enum class bad_record_policy { fail, skip, dead_letter };

/// Where a new job starts reading its inputs (rule R3).
enum class start_policy { earliest, latest };

} // namespace weir
