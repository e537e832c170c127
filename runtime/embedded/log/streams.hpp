// The stream system of the embedded default: a partitioned log in one LevelDB
// directory. No server, durable, one process.
#pragma once

#include <memory>

#include "runtime/base/clock.hpp"
#include "runtime/leveldb/database.hpp"
#include "runtime/stream/stream.hpp"

namespace weir {

struct embedded_stream_options {
  /// False in a simulation, which runs in one thread: a plain producer then
  /// writes every record in `send`.
  bool own_threads = true;
};

/// Opens the log in `database` and checks all of it: partitions without holes,
/// compacted ones as their index says, every record's checksum.
///
/// Differences to Kafka that a caller may notice: a commit is visible when
/// `commit` returns; aborted records take no offsets; compaction happens at the
/// append (a superseded record goes at once unless `min.compaction.lag.ms` is
/// set); `retention.ms` and `retention.bytes` are unlimited unless set and are
/// applied when the partition is written to or opened. As in Kafka, the commit
/// of a transaction takes one offset a partition for its marker.
///
/// The system must be destroyed after its readers and producers.
/// Errors: `corruption` naming topic, partition and offset, `io_error`.
result<std::unique_ptr<stream_system>>
make_embedded_streams(std::shared_ptr<embedded_database> database,
                      std::shared_ptr<outside_world> world,
                      embedded_stream_options options = {});

} // namespace weir
