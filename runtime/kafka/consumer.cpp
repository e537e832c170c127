#include "runtime/kafka/consumer.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "runtime/base/log.hpp"
#include "runtime/kafka/requests.hpp"

namespace weir::kafka {

namespace {

using namespace std::chrono_literals;

/// How often error events are served when nothing else happens.
constexpr auto idle_interval = 250ms;
/// Between two requests that keep a broker's thread awake (measured: 10 to 50
/// are equally good).
constexpr auto wake_interval = 10ms;
constexpr int wake_limit_ms = 1'000;
/// Partitions named in one such request; the others have their turn.
constexpr std::size_t wake_partitions = 32;

struct list_deleter {
  void operator()(rd_kafka_topic_partition_list_t* x) const noexcept {
    rd_kafka_topic_partition_list_destroy(x);
  }
};
using list_ptr = std::unique_ptr<rd_kafka_topic_partition_list_t, list_deleter>;

list_ptr list_of(const partition_slot& slot, std::int64_t offset) {
  list_ptr out{rd_kafka_topic_partition_list_new(1)};
  rd_kafka_topic_partition_list_add(out.get(), slot.topic.c_str(),
                                    slot.partition)
      ->offset = offset;
  return out;
}

/// Drops prefetched records, and the client's own marks between them.
void empty(rd_kafka_queue_t* queue) {
  std::vector<queue_errors::entry> ignored;
  queue_errors scope{ignored};
  rd_kafka_message_t* message = nullptr;
  while (rd_kafka_consume_batch_queue(queue, 0, &message, 1) == 1)
    rd_kafka_message_destroy(message);
}

/// On a thread of librdkafka that holds the queue's lock.
void on_queue_event(rd_kafka_t*, void* opaque) noexcept {
  auto& slot = *static_cast<partition_slot*>(opaque);
  if (slot.armed.exchange(false) && slot.on_ready)
    slot.on_ready();
}

} // namespace

consumer::consumer(std::shared_ptr<handle> with) : handle_{std::move(with)} {
  helper_ = std::thread{[this, log = current_log()] {
    log_scope scope{log};
    pthread_setname_np(pthread_self(), "kafka-reader");
    serve();
  }};
}

consumer::~consumer() {
  {
    std::lock_guard guard{helper_mutex_};
    stopping_ = true;
  }
  helper_wake_.notify_all();
  helper_.join();
  for (auto& [partition, queue] : retired_) {
    empty(queue);
    rd_kafka_queue_destroy(queue);
  }
}

bool consumer::reserve(partition_slot& slot) {
  std::lock_guard guard{slots_mutex_};
  auto same = [&](const partition_slot* each) {
    return each->partition == slot.partition && each->topic == slot.topic;
  };
  if (std::ranges::any_of(slots_, same))
    return false;
  slots_.push_back(&slot);
  return true;
}

void consumer::release(partition_slot& slot) {
  // Under the queue's lock, as the callback is: none is running afterwards.
  rd_kafka_queue_cb_event_enable(slot.queue, nullptr, nullptr);
  std::lock_guard guard{slots_mutex_};
  std::erase(slots_, &slot);
  auto& old = retired_[{slot.topic, slot.partition}];
  if (old != nullptr)
    rd_kafka_queue_destroy(old);
  old = std::exchange(slot.queue, nullptr);
}

result<void> consumer::assign(partition_slot& slot, std::int64_t offset) {
  auto what =
      fmt::format("read topic '{}' partition {}", slot.topic, slot.partition);
  if (!reserve(slot))
    return fail(ec::locked, what + ": has a reader in this consumer");
  error_ptr refused;
  {
    std::lock_guard inside{gate_};
    slot.queue = rd_kafka_queue_get_partition(
        handle_->raw(), slot.topic.c_str(), slot.partition);
    // Before the assignment, which would forward the queue to the handle's.
    rd_kafka_queue_forward(slot.queue, nullptr);
    rd_kafka_queue_cb_event_enable(slot.queue, on_queue_event, &slot);
    refused.reset(rd_kafka_incremental_assign(handle_->raw(),
                                              list_of(slot, offset).get()));
  }
  call_skipped();
  if (!refused)
    return {};
  release(slot);
  return fail(handle_->explain(rd_kafka_error_code(refused.get()), what));
}

void consumer::unassign(partition_slot& slot) noexcept {
  {
    std::lock_guard inside{gate_};
    error_ptr ignored{rd_kafka_incremental_unassign(
        handle_->raw(), list_of(slot, RD_KAFKA_OFFSET_INVALID).get())};
    // Any question to the main thread is answered after it stopped fetching.
    rd_kafka_topic_partition_list_t* left = nullptr;
    if (rd_kafka_assignment(handle_->raw(), &left) ==
        RD_KAFKA_RESP_ERR_NO_ERROR)
      rd_kafka_topic_partition_list_destroy(left);
    empty(slot.queue);
  }
  release(slot);
  call_skipped();
}

void consumer::call_skipped() {
  std::lock_guard guard{slots_mutex_};
  for (auto* each : slots_)
    if (each->skipped.exchange(false) && each->on_ready)
      each->on_ready();
}

long consumer::drain(partition_slot& slot, rd_kafka_message_t** out,
                     std::size_t max,
                     std::vector<queue_errors::entry>& errors) {
  if (!gate_.try_enter(slot.skipped))
    return -1;
  queue_errors scope{errors};
  auto count = rd_kafka_consume_batch_queue(slot.queue, 0, out, max);
  gate_.leave();
  return std::max<long>(count, 0);
}

void consumer::keep_awake(partition_slot& slot) noexcept {
  slot.busy.store(true, std::memory_order_relaxed);
  if (backlog_.exchange(true))
    return;
  // The lock orders this against the helper's look at the flag.
  { std::lock_guard guard{helper_mutex_}; }
  helper_wake_.notify_one();
}

void consumer::serve() {
  std::unique_lock guard{helper_mutex_};
  while (!stopping_) {
    helper_wake_.wait_for(guard, idle_interval,
                          [this] { return stopping_ || backlog_.load(); });
    guard.unlock();
    serve_events();
    if (backlog_.exchange(false))
      wake_brokers();
    guard.lock();
    helper_wake_.wait_for(guard, wake_interval, [this] { return stopping_; });
  }
}

void consumer::serve_events() {
  while (rd_kafka_poll(handle_->raw(), 0) > 0)
    ;
  // Errors that belong to no partition.
  std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> queue{
      rd_kafka_queue_get_consumer(handle_->raw()), rd_kafka_queue_destroy};
  while (auto* message =
             queue ? rd_kafka_consume_queue(queue.get(), 0) : nullptr) {
    if (message->err)
      log_debug("kafka.consumer", "error", rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
  }
}

void consumer::wake_brokers() {
  list_ptr ends{
      rd_kafka_topic_partition_list_new(static_cast<int>(wake_partitions))};
  {
    std::lock_guard guard{slots_mutex_};
    auto count = slots_.size();
    auto most = static_cast<int>(wake_partitions);
    // One that is busy may stand behind many that are not.
    for (std::size_t i = 0; i < count && ends->cnt < most; ++i) {
      auto& slot = *slots_[next_slot_++ % count];
      if (slot.busy.exchange(false, std::memory_order_relaxed))
        rd_kafka_topic_partition_list_add(ends.get(), slot.topic.c_str(),
                                          slot.partition)
            ->offset = RD_KAFKA_OFFSET_END;
    }
  }
  // The answer is not of interest: the request was.
  if (ends->cnt > 0)
    rd_kafka_offsets_for_times(handle_->raw(), ends.get(), wake_limit_ms);
}

} // namespace weir::kafka
