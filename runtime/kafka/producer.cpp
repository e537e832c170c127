#include "runtime/kafka/producer.hpp"

#include <pthread.h>

#include <fmt/format.h>

#include "runtime/kafka/delivery_run.hpp"
#include "runtime/kafka/topics.hpp"
#include "runtime/kafka/transaction.hpp"

namespace weir::kafka {

namespace {

constexpr int event_wait_ms = 1'000;
/// While a flush call runs, the client sends without lingering.
constexpr int flush_step_ms = 1;
/// Between two of them while somebody waits for answers.
constexpr auto answer_step = std::chrono::milliseconds{5};
/// What is not answered by then is the commit's to wait for.
constexpr auto settle_limit = std::chrono::seconds{1};
/// A record batch's header, and a record's own fields at their longest.
constexpr std::size_t batch_overhead = 61;
constexpr std::size_t record_overhead = 36;
constexpr std::size_t header_overhead = 10;

// The generation of a record travels in the low bits of its listener's address.
static_assert(alignof(delivery_listener) >= in_flight::generations);

void* pack(delivery_listener* listener, unsigned generation) noexcept {
  return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(listener) |
                                 generation);
}

std::pair<delivery_listener*, unsigned> unpack(void* opaque) noexcept {
  auto bits = reinterpret_cast<std::uintptr_t>(opaque);
  constexpr std::uintptr_t mask = in_flight::generations - 1;
  return {reinterpret_cast<delivery_listener*>(bits & ~mask),
          static_cast<unsigned>(bits & mask)};
}

std::size_t bytes_of(const std::optional<std::string_view>& x) noexcept {
  return x ? x->size() : 0;
}

std::size_t size_of(const outgoing& x) noexcept {
  auto size = batch_overhead + record_overhead;
  size += bytes_of(x.key) + bytes_of(x.value);
  for (auto& each : x.headers)
    size += header_overhead + each.name.size() + each.value.size();
  return size;
}

/// librdkafka takes a null pointer for an absent key or value, whatever the
/// size; an empty view may have one.
void* data_of(const std::optional<std::string_view>& x) noexcept {
  if (!x)
    return nullptr;
  return const_cast<char*>(x->data() != nullptr ? x->data() : "");
}

rd_kafka_headers_t* to_native(std::span<const header> headers) {
  if (headers.empty())
    return nullptr;
  auto* out = rd_kafka_headers_new(headers.size());
  for (auto& each : headers)
    rd_kafka_header_add(out, each.name.data(),
                        static_cast<ssize_t>(each.name.size()),
                        each.value.data() != nullptr ? each.value.data() : "",
                        static_cast<ssize_t>(each.value.size()));
  return out;
}

} // namespace

result<std::unique_ptr<kafka_producer>> kafka_producer::open(
    std::shared_ptr<handle> with, std::shared_ptr<handle> questions,
    const producer_options& options, milliseconds socket_timeout,
    producer_bounds bounds, milliseconds request_limit) {
  std::unique_ptr<kafka_producer> made{
      new kafka_producer{options.linger, options.hastened_linger}};
  made->handle_ = std::move(with);
  made->questions_ = std::move(questions);
  made->id_ = options.transactional_id;
  made->transaction_timeout_ = options.transaction_timeout;
  made->socket_timeout_ = socket_timeout;
  made->bounds_ = std::move(bounds);
  made->request_limit_ = request_limit;
  made->events_ = rd_kafka_queue_get_main(made->handle_->raw());
  made->delivery_thread_ =
      std::thread{[self = made.get(), log = current_log()] {
        log_scope scope{log};
        pthread_setname_np(pthread_self(), "kafka-delivery");
        self->serve_events();
      }};
  if (!made->id_.empty()) {
    auto until = std::chrono::steady_clock::now() + request_limit;
    if (auto done = init_transactions(*made->handle_, made->id_, until); !done)
      return fail(done.error());
  }
  return made;
}

kafka_producer::~kafka_producer() {
  // First the listeners: their owner is on its way out.
  stopping_ = true;
  rd_kafka_queue_yield(events_);
  delivery_thread_.join();
  rd_kafka_queue_destroy(events_);
  for (std::size_t i = 0; i < topic_count_; ++i)
    topics_[i].native.reset();
  rd_kafka_purge(handle_->raw(), RD_KAFKA_PURGE_F_QUEUE |
                                     RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
}

result<topic_ref> kafka_producer::open_topic(const std::string& topic) {
  auto until = std::chrono::steady_clock::now() + request_limit_;
  std::lock_guard guard{topics_mutex_};
  for (std::size_t i = 0; i < topic_count_; ++i)
    if (topics_[i].name == topic)
      return topic_ref{static_cast<int>(i), topics_[i].partitions};
  if (topic_count_ == max_topics)
    return fail(ec::bad_argument,
                fmt::format("topic '{}': a producer has at most {} topics",
                            topic, max_topics));
  topic_ptr native{rd_kafka_topic_new(handle_->raw(), topic.c_str(), nullptr)};
  if (!native)
    return fail(
        make_error(rd_kafka_last_error(), fmt::format("topic '{}'", topic)));
  auto layout = ask_layout(*handle_, native.get(), until);
  if (!layout)
    return fail(layout.error());
  if (!*layout)
    return fail(ec::not_found, fmt::format("topic '{}' does not exist", topic));
  auto max_bytes = max_bytes_of(topic, until);
  if (!max_bytes)
    return fail(max_bytes.error());
  auto& entry = topics_[topic_count_];
  entry.name = topic;
  entry.native = std::move(native);
  entry.partitions = (*layout)->partitions;
  entry.max_bytes = *max_bytes;
  return topic_ref{static_cast<int>(topic_count_++), entry.partitions};
}

result<std::size_t> kafka_producer::max_bytes_of(const std::string& topic,
                                                 deadline until) {
  if (auto known = bounds_.topics.find(topic); known != bounds_.topics.end())
    return known->second;
  auto bytes = ask_max_batch_bytes(*questions_, topic, until);
  if (bytes && *bytes < bounds_.batch_bytes)
    return fail(ec::bad_argument,
                fmt::format("topic '{}' takes batches of at most {} bytes "
                            "(max.message.bytes), and this producer, which was "
                            "not told of it, sends up to {}",
                            topic, *bytes, bounds_.batch_bytes));
  return bytes;
}

result<void> kafka_producer::send(const outgoing& x,
                                  delivery_listener* listener) {
  auto index = static_cast<std::size_t>(x.topic.index);
  if (index >= max_topics || !topics_[index].native)
    return fail(ec::bad_argument, "send to a topic that was not opened");
  auto& topic = topics_[index];
  if (x.partition < 0 || x.partition >= topic.partitions)
    return fail(ec::bad_argument, fmt::format("topic '{}' has no partition {}",
                                              topic.name, x.partition));
  if (auto problem = check_size(x)) [[unlikely]]
    return fail(std::move(*problem));
  auto generation = in_flight_.add();
  if (departures_.sent()) [[unlikely]]
    rd_kafka_queue_yield(events_);
  auto* headers = to_native(x.headers);
  auto code = rd_kafka_producev(
      handle_->raw(), RD_KAFKA_V_RKT(topic.native.get()),
      RD_KAFKA_V_PARTITION(x.partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_KEY(data_of(x.key), bytes_of(x.key)),
      RD_KAFKA_V_VALUE(data_of(x.value), bytes_of(x.value)),
      // 0 lets the client stamp the record.
      RD_KAFKA_V_TIMESTAMP(std::max<std::int64_t>(x.timestamp, 0)),
      RD_KAFKA_V_OPAQUE(pack(listener, generation)),
      // Ends the list early where there are none.
      headers != nullptr ? RD_KAFKA_VTYPE_HEADERS : RD_KAFKA_VTYPE_END, headers,
      RD_KAFKA_V_END);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return {};
  in_flight_.remove(generation);
  if (headers != nullptr)
    rd_kafka_headers_destroy(headers);
  return fail(refusal(code, x));
}

std::optional<error> kafka_producer::check_size(const outgoing& x) const {
  auto& topic = topics_[static_cast<std::size_t>(x.topic.index)];
  if (size_of(x) > topic.max_bytes)
    return error{ec::too_large,
                 fmt::format("record of {} bytes: topic '{}' takes at most {} "
                             "(max.message.bytes)",
                             size_of(x), topic.name, topic.max_bytes)};
  // The library would say that the queue is full, for ever.
  auto queued = bytes_of(x.key) + bytes_of(x.value);
  if (queued > bounds_.queue_bytes)
    return error{ec::too_large,
                 fmt::format("record of {} bytes for topic '{}': the "
                             "producer's queue has {} (--producer-bytes)",
                             queued, topic.name, bounds_.queue_bytes)};
  return std::nullopt;
}

error kafka_producer::refusal(rd_kafka_resp_err_t code, const outgoing& x) {
  auto& topic = topics_[static_cast<std::size_t>(x.topic.index)];
  auto what = fmt::format("send to topic '{}'", topic.name);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    return {ec::queue_full, what + ": the producer's queue is full"};
  if (auto fatal = fatal_error(*handle_, what))
    return *fatal;
  if (is_fenced(code) || fenced_)
    return {ec::fenced, fmt::format("{}: producer '{}' was fenced", what, id_)};
  // What the library calls a wrong state is a transaction that failed or was
  // not begun.
  if (code == RD_KAFKA_RESP_ERR__STATE) {
    std::lock_guard guard{failure_mutex_};
    return {ec::transaction_failed,
            first_failure_ ? what + ": " + first_failure_->text()
                           : fmt::format("{}: producer '{}' is not in a "
                                         "usable transaction",
                                         what, id_)};
  }
  return make_error(code, what);
}

void kafka_producer::hasten() noexcept {
  if (departures_.hasten())
    rd_kafka_queue_yield(events_);
}

/// How long the thread may sleep afterwards.
int kafka_producer::depart_when_due() {
  auto now = std::chrono::steady_clock::now();
  auto due = departures_.due(in_flight_, now);
  if (!due)
    return event_wait_ms;
  if (*due > now)
    return std::min(left_ms(*due), event_wait_ms);
  departures_.depart(in_flight_, now);
  rd_kafka_flush(handle_->raw(), flush_step_ms);
  return 0;
}

/// Whether all that `done` looks for was answered in time. While the client
/// flushes its thread spins, so it is told to only now and then.
template <class Done>
bool kafka_producer::await_answers(deadline until, Done done) {
  ++waiting_;
  while (!done() && !passed(until)) {
    rd_kafka_flush(handle_->raw(), flush_step_ms);
    std::unique_lock guard{answers_mutex_};
    answers_.wait_for(guard, answer_step, done);
  }
  --waiting_;
  return done();
}

result<void> kafka_producer::flush(std::chrono::milliseconds limit) {
  auto until = std::chrono::steady_clock::now() + limit;
  in_flight_.advance();
  if (!await_answers(until, [this] { return in_flight_.older_done(); }))
    return fail(ec::timed_out,
                fmt::format("flush: {} ms were not enough to deliver every "
                            "record to Kafka at {}",
                            limit.count(), handle_->cluster().brokers()));
  std::lock_guard guard{failure_mutex_};
  if (!first_failure_)
    return {};
  auto why = std::move(*first_failure_);
  first_failure_.reset();
  return fail(std::move(why));
}

result<void> kafka_producer::begin() {
  if (id_.empty())
    return fail(ec::bad_argument, "begin: not a transactional producer");
  auto what = fmt::format("begin of producer '{}'", id_);
  // Some versions hang in the call below when a fatal error is pending.
  if (auto fatal = fatal_error(*handle_, what))
    return fail(std::move(*fatal));
  error_ptr why{rd_kafka_begin_transaction(handle_->raw())};
  if (why)
    return fail(transaction_error(*handle_, *why, what));
  std::lock_guard guard{failure_mutex_};
  first_failure_.reset();
  return {};
}

result<commit_report> kafka_producer::commit() {
  if (id_.empty())
    return fail(ec::bad_argument, "commit: not a transactional producer");
  commit_watch watch{*handle_};
  // The client flushes until all is answered: leave it little.
  await_answers(watch.started() + settle_limit,
                [this] { return in_flight_.count() == 0; });
  auto done = commit_transaction(*handle_, id_, watch, transaction_timeout_,
                                 socket_timeout_);
  if (done)
    return done;
  // The library may name the consequence; a delivery report named the cause.
  if (fenced_ && done.error().code() != ec::fenced)
    return fail(ec::fenced, done.error().text());
  return done;
}

void kafka_producer::serve_events() {
  while (!stopping_) {
    auto wait_ms = depart_when_due();
    event_ptr event{rd_kafka_queue_poll(events_, wait_ms)};
    if (!event)
      continue;
    switch (rd_kafka_event_type(event.get())) {
    case RD_KAFKA_EVENT_DR:
      on_deliveries(std::move(event));
      break;
    case RD_KAFKA_EVENT_ERROR:
      if (is_fenced(rd_kafka_fatal_error(handle_->raw(), nullptr, 0)))
        fenced_ = true;
      handle_->on_error(rd_kafka_event_error(event.get()),
                        rd_kafka_event_error_string(event.get()));
      break;
    default:
      break;
    }
  }
}

void kafka_producer::on_deliveries(event_ptr event) {
  std::array<std::int64_t, in_flight::generations> done{};
  std::optional<error> why;
  auto why_code = RD_KAFKA_RESP_ERR_NO_ERROR;
  delivery_run run;
  while (auto* message = rd_kafka_event_message_next(event.get())) {
    auto [listener, generation] = unpack(message->_private);
    ++done[generation];
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      run.add(listener, std::max<std::int64_t>(message->offset, -1));
      continue;
    }
    if (!why || why_code != message->err) {
      why_code = message->err;
      why = make_error(why_code,
                       fmt::format("record for topic '{}' partition {} was "
                                   "not delivered",
                                   rd_kafka_topic_name(message->rkt),
                                   message->partition));
      note_failure(*why);
    }
    if (listener != nullptr)
      listener->failed(*why);
  }
  run.end();
  if (!why)
    handle_->cluster().reached();
  // Until then its records fill the client's queue: a flush leaves room.
  event.reset();
  // After the listeners: a flush that sees the counts may let go of them.
  for (unsigned i = 0; i < in_flight::generations; ++i)
    if (done[i] != 0) {
      in_flight_.remove(i, done[i]);
      departures_.answered(done[i]);
    }
  if (waiting_ > 0) {
    // The lock orders this against a waiting thread's look at the counts.
    { std::lock_guard guard{answers_mutex_}; }
    answers_.notify_all();
  }
}

void kafka_producer::note_failure(const error& why) {
  if (why.code() == ec::fenced)
    fenced_ = true;
  std::lock_guard guard{failure_mutex_};
  if (!first_failure_)
    first_failure_ = why;
}

} // namespace weir::kafka
