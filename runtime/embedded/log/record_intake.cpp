#include "runtime/embedded/log/record_intake.hpp"

namespace weir {

result<topic_ref> record_intake::open(const std::string& topic) {
  auto found = log_->get(topic);
  if (!found)
    return fail(found.error());
  topics_.push_back(std::move(*found));
  return topic_ref{static_cast<int>(topics_.size()) - 1,
                   topics_.back()->settings.partitions};
}

result<std::shared_ptr<log_topic>>
record_intake::target(const outgoing& x) const {
  auto index = static_cast<std::size_t>(x.topic.index);
  if (x.topic.index < 0 || index >= topics_.size())
    return fail(ec::bad_argument,
                "the record names a topic that this producer has not opened");
  auto& topic = topics_[index];
  if (topic->deleted)
    return fail(ec::not_found, "topic '" + topic->name + "' was deleted");
  if (topic->find(x.partition) == nullptr)
    return fail(ec::bad_argument, name_of(*topic, x.partition) +
                                      " does not exist; the topic has " +
                                      std::to_string(topic->partitions.size()) +
                                      " partitions");
  if (topic->policy.compact && !x.key)
    return fail(ec::rejected, "topic '" + topic->name +
                                  "' is compacted: a record needs a key");
  return topic;
}

namespace {

log_format::content content_of(const outgoing& x, std::int64_t timestamp) {
  log_format::content out;
  out.timestamp = timestamp;
  out.key = x.key;
  out.value = x.value;
  out.headers = x.headers.data();
  out.header_count = x.headers.size();
  return out;
}

result<void> check_size(const log_topic& topic,
                        const log_format::content& content) {
  auto limit = static_cast<std::size_t>(topic.policy.max_message_bytes);
  auto bytes = log_format::size_of(content);
  if (bytes <= limit)
    return {};
  return fail(ec::too_large, "a record of " + std::to_string(bytes) +
                                 " bytes for topic '" + topic.name +
                                 "', whose max.message.bytes is " +
                                 std::to_string(limit));
}

} // namespace

result<void> record_intake::fits(const outgoing& x) const {
  auto topic = target(x);
  if (!topic)
    return fail(topic.error());
  return check_size(**topic, content_of(x, x.timestamp));
}

result<void> record_intake::take(const outgoing& x, delivery_listener* listener,
                                 pending_records& to) {
  auto topic = target(x);
  if (!topic)
    return fail(topic.error());
  auto content = content_of(
      x, x.timestamp >= 0 ? x.timestamp : log_->world().wall_clock_ms());
  if (auto fits = check_size(**topic, content); !fits)
    return fits;
  auto at = to.bytes.size();
  log_format::append_record(to.bytes, content);
  to.items.push_back(
      {std::move(*topic), x.partition, at, to.bytes.size() - at, listener, -1});
  return {};
}

void settle(pending_records& records, const result<void>& outcome) {
  for (auto& x : records.items) {
    if (x.listener == nullptr)
      continue;
    if (outcome)
      x.listener->delivered(x.offset);
    else
      x.listener->failed(outcome.error());
  }
  records.clear();
}

} // namespace weir
