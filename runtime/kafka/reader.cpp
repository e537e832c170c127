#include "runtime/kafka/reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/base/log.hpp"
#include "runtime/stream/record_access.hpp"

namespace weir::kafka {

namespace {

/// A poll that took this much found a backlog, unless the queue is too small to
/// hold it.
constexpr std::size_t most_backlog_bytes = 256 << 10;
/// An empty batch keeps room for this many records: a partition that is read
/// now and then needs no more, and there may be hundreds.
constexpr std::size_t idle_records = 64;

/// How long brokers must deny that a partition exists before it is believed.
constexpr auto missing_limit = std::chrono::seconds{3};

/// Keeps messages, and the client they came from, until the batch lets go.
class message_holder final : public record_batch::holder {
public:
  ~message_holder() override { release(); }

  void release() noexcept override {
    for (std::size_t i = 0; i < count_; ++i)
      rd_kafka_message_destroy(messages_[i]);
    count_ = 0;
    from_.reset();
  }

  rd_kafka_message_t** room_for(std::size_t max) {
    if (messages_.size() < max)
      messages_.resize(max);
    return messages_.data();
  }
  void shrink() { messages_ = {}; }
  void keep(std::size_t count, std::shared_ptr<handle> from) {
    count_ = count;
    from_ = std::move(from);
  }

private:
  std::vector<rd_kafka_message_t*> messages_;
  std::size_t count_ = 0;
  std::shared_ptr<handle> from_;
};

/// The batch may have been filled by another stream system before.
message_holder& holder_of(record_batch& batch) {
  if (auto* ours = dynamic_cast<message_holder*>(batch.native()))
    return *ours;
  auto made = std::make_unique<message_holder>();
  auto& out = *made;
  batch.set_native(std::move(made));
  return out;
}

void read_headers(const void* native, std::vector<header>& out) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(static_cast<const rd_kafka_message_t*>(native),
                               &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
       RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i)
    out.push_back({name, {static_cast<const char*>(value), size}});
}

using access = detail::record_access;

/// In place: what was just written in parts and is copied as a whole makes the
/// processor wait for the writes.
void fill(record& out, const rd_kafka_message_t& message,
          std::string_view topic) {
  access::set_topic(out, topic);
  rd_kafka_timestamp_type_t ignored;
  access::set_position(out, message.partition, message.offset,
                       rd_kafka_message_timestamp(&message, &ignored));
  if (message.key != nullptr)
    access::set_key(out,
                    {static_cast<const char*>(message.key), message.key_len});
  if (message.payload != nullptr)
    access::set_value(out,
                      {static_cast<const char*>(message.payload), message.len});
  access::set_headers(out, &message, read_headers);
}

} // namespace

result<std::unique_ptr<reader>> reader::open(std::shared_ptr<consumer> with,
                                             reader_options options,
                                             deadline until) {
  auto what = fmt::format("read topic '{}' partition {}", options.topic,
                          options.partition);
  topic_ptr topic{
      rd_kafka_topic_new(with->client().raw(), options.topic.c_str(), nullptr)};
  if (!topic)
    return fail(make_error(rd_kafka_last_error(), what));
  auto layout = ask_layout(with->client(), topic.get(), until);
  if (!layout)
    return fail(layout.error().within(what));
  if (!*layout)
    return fail(ec::not_found,
                fmt::format("topic '{}' does not exist", options.topic));
  if (options.partition < 0 || options.partition >= (*layout)->partitions)
    return fail(ec::not_found, fmt::format("{}: the topic has {} partitions",
                                           what, (*layout)->partitions));
  auto start = options.start;
  std::unique_ptr<reader> made{new reader{std::move(with), std::move(options)}};
  if (auto done = made->consumer_->assign(made->slot_, start); !done)
    return fail(done.error());
  return made;
}

reader::reader(std::shared_ptr<consumer> with, reader_options options)
    : consumer_{std::move(with)}, position_{options.start},
      backlog_bytes_{
          std::min(most_backlog_bytes, kind_of(options).read_ahead / 2)} {
  slot_.topic = std::move(options.topic);
  slot_.partition = options.partition;
  slot_.on_ready = std::move(options.on_ready);
}

reader::~reader() {
  if (slot_.queue != nullptr)
    consumer_->unassign(slot_);
}

result<void> reader::poll(record_batch& out, std::size_t max) {
  out.clear();
  max = std::max<std::size_t>(max, 1);
  auto& holder = holder_of(out);
  // Runs again when only events were in the queue, or when something arrived
  // between the look and the arming.
  while (!failure_) {
    auto** messages = holder.room_for(max);
    auto count = consumer_->drain(slot_, messages, max, errors_);
    if (count < 0)
      return {};
    auto got = static_cast<std::size_t>(count);
    auto kept = take(messages, got, out.mutable_records());
    for (auto& each : std::exchange(errors_, {}))
      on_error(each.code, RD_KAFKA_OFFSET_INVALID, each.text);
    if (kept > 0) {
      holder.keep(kept, consumer_->shared_client());
      if (got == max || bytes_taken_ >= backlog_bytes_)
        consumer_->keep_awake(slot_);
      return {};
    }
    if (got > 0)
      continue;
    slot_.armed.store(true);
    if (rd_kafka_queue_length(slot_.queue) == 0 || !slot_.armed.exchange(false))
      break;
  }
  if (failure_)
    return fail(*failure_);
  if (out.mutable_records().capacity() > idle_records) {
    out.mutable_records() = {};
    holder.shrink();
  }
  return {};
}

std::size_t reader::take(rd_kafka_message_t** messages, std::size_t count,
                         std::vector<record>& out) {
  std::size_t kept = 0;
  std::string_view topic;
  bytes_taken_ = 0;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto* message = messages[i];
    if (message->err || failure_) [[unlikely]] {
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        on_end(message->offset);
      else if (!failure_)
        on_error(message->err, message->offset,
                 rd_kafka_message_errstr(message));
      rd_kafka_message_destroy(message);
      continue;
    }
    if (topic.empty())
      topic = rd_kafka_topic_name(message->rkt);
    bytes_taken_ += message->len + message->key_len;
    fill(out.emplace_back(), *message, topic);
    messages[kept++] = message;
    position_ = message->offset + 1;
    at_end_ = false;
  }
  if (kept > 0) {
    missing_since_.reset();
    consumer_->client().cluster().reached();
  }
  return kept;
}

void reader::on_end(std::int64_t offset) noexcept {
  // Also past markers and aborted records, which are no messages.
  position_ = std::max(position_, offset);
  at_end_ = true;
  missing_since_.reset();
}

void reader::on_error(rd_kafka_resp_err_t code, std::int64_t offset,
                      std::string_view text) {
  auto what = fmt::format("topic '{}' partition {} at offset {}", slot_.topic,
                          slot_.partition, position_);
  auto seen = make_error(code, what);
  auto now = std::chrono::steady_clock::now();
  switch (seen.code()) {
  case ec::offset_out_of_range:
    // This event has no version: an earlier reader of the partition may have
    // left it behind.
    if (offset >= position_)
      failure_ =
          error{ec::offset_out_of_range, fmt::format("{}: {}", what, text)};
    return;
  case ec::not_found:
    // A broker that just came up may not know every topic yet; the client
    // asks, and says so, once a second.
    if (!missing_since_)
      missing_since_ = now;
    else if (now - *missing_since_ >= missing_limit)
      failure_ = std::move(seen);
    return;
  case ec::corruption:
  case ec::too_large:
    failure_ = std::move(seen);
    return;
  default:
    // A refusal is final; what this library does not know may pass.
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
      failure_ = std::move(seen);
    else
      log_warning("kafka.fetch", "error", seen.text(), "text", text);
  }
}

} // namespace weir::kafka
