// One consumer handle and the partitions that are read through it.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/kafka/assignment_gate.hpp"
#include "runtime/kafka/handle.hpp"
#include "weir/error.hpp"

namespace weir::kafka {

/// A partition that is read through a consumer. Belongs to its reader.
struct partition_slot {
  std::string topic;
  std::int32_t partition = 0;
  std::function<void()> on_ready;
  /// The partition's own queue; not forwarded anywhere.
  rd_kafka_queue_t* queue = nullptr;
  /// The reader saw the queue empty and waits for a call.
  std::atomic<bool> armed{false};
  /// A poll met an assignment (see assignment_gate).
  std::atomic<bool> skipped{false};
  /// Much was drained since the helper thread looked.
  std::atomic<bool> busy{false};
};

/// Shared by its readers. Assigns explicit offsets only, joins no group.
/// Thread-safe.
///
/// Owns one helper thread. It serves the handle's error events, and while
/// readers drain a backlog it asks the brokers for end offsets: librdkafka
/// 2.0.2 sleeps up to a second after a prefetch limit was reached, and any
/// request wakes the broker's thread. So a limit of 2 MB a partition is as fast
/// as one of hundreds. The limit is one for all partitions of a handle
/// (`consumer_kind`).
class consumer {
public:
  explicit consumer(std::shared_ptr<handle> with);
  consumer(const consumer&) = delete;
  consumer& operator=(const consumer&) = delete;
  ~consumer();

  handle& client() const noexcept { return *handle_; }
  const std::shared_ptr<handle>& shared_client() const noexcept {
    return handle_;
  }

  /// Starts to fetch at `offset`; sets the slot's queue.
  /// Errors: `locked` when the partition has a reader here already.
  result<void> assign(partition_slot& slot, std::int64_t offset);
  /// Ends the slot's callback and its fetching.
  void unassign(partition_slot& slot) noexcept;

  /// Takes up to `max` messages without blocking, and appends what the client
  /// says of the partition; -1 when an assignment is going on: `on_ready` will
  /// be called.
  long drain(partition_slot& slot, rd_kafka_message_t** out, std::size_t max,
             std::vector<queue_errors::entry>& errors);

  /// A reader has a backlog: keep the broker's thread awake.
  void keep_awake(partition_slot& slot) noexcept;

private:
  bool reserve(partition_slot& slot);
  void release(partition_slot& slot);
  void call_skipped();
  void serve();
  void serve_events();
  void wake_brokers();

  const std::shared_ptr<handle> handle_;
  assignment_gate gate_;
  /// Guards `slots_`; also held while a skipped reader is called back, so that
  /// no callback runs after `unassign`.
  mutable std::mutex slots_mutex_;
  std::vector<partition_slot*> slots_;
  std::size_t next_slot_ = 0;
  /// Queues of partitions that were read. What the client leaves in one keeps
  /// its partition alive, and a partition of a deleted topic would then keep
  /// the client's destruction waiting for ever (a fault of 2.0.2 to 2.6.0):
  /// they are emptied here.
  std::map<std::pair<std::string, std::int32_t>, rd_kafka_queue_t*> retired_;

  std::mutex helper_mutex_;
  std::condition_variable helper_wake_;
  std::atomic<bool> backlog_{false};
  bool stopping_ = false;
  std::thread helper_;
};

} // namespace weir::kafka
