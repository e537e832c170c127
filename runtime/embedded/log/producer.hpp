// The embedded log's two kinds of producer.
#pragma once

#include <memory>

#include "runtime/embedded/log/log.hpp"

namespace weir {

/// A transaction is collected in memory and written by `commit` as one batch;
/// its listeners are called then. `send` never says that there is no room,
/// since nothing leaves before the commit: who sends stops by `wants_commit`,
/// which counts what the records need in memory, and the rest is what completes
/// the transaction (the changes of its tasks). `flush` has nothing to wait for.
/// After a failed commit, or once fenced, every call answers the same error.
/// The timeout of a transaction is not kept: nothing of an open transaction is
/// in anybody's way. [blocking: stores the id's next epoch]
result<std::unique_ptr<producer>>
open_transactional_producer(std::shared_ptr<embedded_log> log,
                            producer_options options);

/// Records are collected and written as one batch: by `flush` in the caller's
/// thread, or by a thread of the producer once `linger` has passed since the
/// first of them or a mebibyte is there. So a load of small records costs a
/// synced write a batch and not a record, and no record stays unseen for longer
/// than `linger` and a write. With `own_thread` false (a simulation) there is
/// no thread and no waiting: `send` itself writes.
result<std::unique_ptr<producer>>
open_plain_producer(std::shared_ptr<embedded_log> log, producer_options options,
                    bool own_thread);

} // namespace weir
