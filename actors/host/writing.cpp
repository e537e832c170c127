// Feeding topics from a program.
#include <condition_variable>
#include <thread>

#include "actors/host/topic_io.hpp"
#include "runtime/base/log.hpp"
#include "runtime/stream/partitioner.hpp"

namespace weir::detail {

namespace {

constexpr duration room_pause{1};
/// Longer than the client goes on trying by itself.
constexpr duration write_limit{150'000};

error is_closed() {
  return {ec::closed, "this node or client is closed"};
}

/// Of one record; waited for, so that it outlives the delivery.
class delivery final : public delivery_listener {
public:
  void delivered(std::int64_t offset) noexcept override { end(offset, {}); }
  void failed(const error& why) noexcept override { end(-1, why); }

  result<std::int64_t> wait() {
    std::unique_lock guard{mutex_};
    ended_.wait(guard, [this] { return over_; });
    if (problem_)
      return fail(*problem_);
    return offset_;
  }

private:
  void end(std::int64_t offset, std::optional<error> problem) noexcept {
    std::lock_guard guard{mutex_};
    offset_ = offset;
    problem_ = std::move(problem);
    over_ = true;
    ended_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::int64_t offset_ = -1;
  std::optional<error> problem_;
  bool over_ = false;
};

} // namespace

result<std::shared_ptr<stream_system>> topic_io::streams() {
  std::lock_guard guard{mutex_};
  if (!streams_)
    return fail(is_closed());
  return streams_;
}

result<topic_io::opened> topic_io::prepare(std::string_view topic,
                                           const raw_side& key,
                                           const raw_side& value,
                                           const emit_options& how) {
  std::lock_guard guard{mutex_};
  if (!streams_)
    return fail(is_closed());
  if (!writer_) {
    auto made = streams_->open_producer({});
    if (!made)
      return fail(made.error());
    writer_ = std::move(*made);
  }
  auto found = refs_.find(topic);
  if (found == refs_.end()) {
    auto ref = writer_->open_topic(name_of_(std::string{topic}));
    if (!ref)
      return fail(ref.error());
    found = refs_.emplace(topic, *ref).first;
  }
  opened out{streams_, writer_, {}};
  auto& x = out.record;
  x.topic = found->second;
  if (key.there)
    x.key = key.bytes;
  if (value.there)
    x.value = value.bytes;
  x.headers = how.headers;
  if (how.timestamp)
    x.timestamp = how.timestamp->time_since_epoch().count();
  if (how.partition)
    x.partition = *how.partition;
  else if (x.key)
    x.partition = partition_of(*x.key, x.topic.partitions);
  else
    x.partition = next_partition_++ % x.topic.partitions;
  if (x.partition < 0 || x.partition >= x.topic.partitions)
    return fail(ec::bad_argument, "topic '" + std::string{topic} +
                                      "' has no partition " +
                                      std::to_string(x.partition));
  next_partition_ %= x.topic.partitions;
  return out;
}

result<void> topic_io::hand_over(const opened& x, delivery_listener* listener) {
  for (;;) {
    auto sent = x.writer->send(x.record, listener);
    if (sent || sent.error().code() != ec::queue_full)
      return sent;
    x.writer->hasten();
    std::this_thread::sleep_for(room_pause);
  }
}

result<position> topic_io::send(std::string_view topic, const raw_side& key,
                                const raw_side& value,
                                const emit_options& how) {
  auto to = prepare(topic, key, value, how);
  if (!to)
    return fail(to.error());
  delivery outcome;
  if (auto sent = hand_over(*to, &outcome); !sent)
    return fail(sent.error());
  to->writer->hasten();
  // Every record that was taken is told of, when its producer ends at the
  // latest.
  auto offset = outcome.wait();
  if (!offset)
    return fail(offset.error());
  return position{to->record.partition, *offset};
}

result<void> topic_io::post(std::string_view topic, const raw_side& key,
                            const raw_side& value, const emit_options& how) {
  auto to = prepare(topic, key, value, how);
  if (!to)
    return fail(to.error());
  return hand_over(*to, nullptr);
}

result<void> topic_io::flush(duration patience) {
  std::shared_ptr<producer> writer;
  {
    std::lock_guard guard{mutex_};
    if (!streams_)
      return fail(is_closed());
    writer = writer_;
  }
  return writer ? writer->flush(std::min(patience, write_limit))
                : result<void>{};
}

result<void> topic_io::create(std::string_view topic, int partitions) {
  auto use = streams();
  if (!use)
    return fail(use.error());
  topic_settings wanted;
  wanted.partitions = partitions;
  // Event times may be old.
  wanted.config["retention.ms"] = "-1";
  return (*use)->create_topic(name_of_(std::string{topic}), wanted);
}

void topic_io::close(duration patience) {
  std::shared_ptr<producer> writer;
  std::shared_ptr<stream_system> streams;
  {
    std::lock_guard guard{mutex_};
    writer.swap(writer_);
    streams.swap(streams_);
    refs_.clear();
  }
  if (!writer)
    return;
  if (auto flushed = writer->flush(patience); !flushed)
    log_warning("produce.unflushed", "why", to_string(flushed.error()));
}

} // namespace weir::detail
