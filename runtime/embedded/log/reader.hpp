// Reads one partition of the embedded log.
#pragma once

#include <memory>

#include "runtime/embedded/log/log.hpp"

namespace weir {

/// A batch of the log's records: their bytes in one arena. `level` is without
/// effect: what is not committed is not in the log. A poll reads up to 4 MiB
/// and at least one record. `on_ready` is called once on opening, so that
/// nobody waits for data that is there already.
/// Errors: `not_found`, `offset_out_of_range`.
result<std::unique_ptr<partition_reader>>
open_embedded_reader(std::shared_ptr<embedded_log> log, reader_options options);

} // namespace weir
