#include "runtime/kafka/requests.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "runtime/base/cancel.hpp"

namespace weir::kafka {

namespace {

using namespace std::chrono_literals;

constexpr auto first_pause = 20ms;
constexpr auto longest_pause = 500ms;
constexpr auto first_wait = 500ms;
constexpr auto longest_wait = 4s;

struct metadata_deleter {
  void operator()(const rd_kafka_metadata_t* x) const noexcept {
    rd_kafka_metadata_destroy(x);
  }
};
using metadata_ptr =
    std::unique_ptr<const rd_kafka_metadata_t, metadata_deleter>;

struct list_deleter {
  void operator()(rd_kafka_topic_partition_list_t* x) const noexcept {
    rd_kafka_topic_partition_list_destroy(x);
  }
};

rd_kafka_resp_err_t ask_metadata(handle& with, rd_kafka_topic_t* topic,
                                 deadline until, metadata_ptr& out) {
  return repeat_transient(until, [&](int wait_ms) {
    const rd_kafka_metadata_t* raw = nullptr;
    auto code = rd_kafka_metadata(with.raw(), 0, topic, &raw, wait_ms);
    out.reset(raw);
    if (!code)
      with.cluster().reached();
    return code;
  });
}

topic_layout layout_of(const rd_kafka_metadata_topic_t& topic) {
  topic_layout out;
  out.partitions = topic.partition_cnt;
  out.usable = topic.partition_cnt > 0;
  for (int i = 0; i < topic.partition_cnt; ++i) {
    auto& each = topic.partitions[i];
    out.usable = out.usable && each.leader >= 0;
    out.replication = std::max(out.replication, each.replica_cnt);
  }
  return out;
}

/// False also where nobody answers.
bool has_partition(handle& with, const std::string& topic,
                   std::int32_t partition, deadline until) {
  auto layout = ask_layout(with, topic, until);
  return layout && *layout && partition < (*layout)->partitions;
}

} // namespace

int left_ms(deadline until, milliseconds most) {
  if (job_cancelled())
    return 1;
  auto left =
      std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(
      std::clamp<std::int64_t>(left.count(), 1, most.count()));
}

bool passed(deadline until) {
  return job_cancelled() || std::chrono::steady_clock::now() >= until;
}

rd_kafka_event_t* await_event(rd_kafka_queue_t* queue, deadline until) {
  for (;;) {
    if (auto* event = rd_kafka_queue_poll(queue, left_ms(until, cancel_slice)))
      return event;
    if (passed(until))
      return nullptr;
  }
}

rd_kafka_resp_err_t
repeat_transient(deadline until,
                 const std::function<rd_kafka_resp_err_t(int)>& ask) {
  milliseconds pause = first_pause;
  milliseconds wait = first_wait;
  for (;;) {
    auto code = ask(left_ms(until, wait));
    wait = std::min<milliseconds>(2 * wait, longest_wait);
    if (!is_transient(code) || passed(until + -pause))
      return code;
    std::this_thread::sleep_for(pause);
    pause = std::min<milliseconds>(2 * pause, longest_pause);
  }
}

result<std::optional<topic_layout>>
ask_layout(handle& with, rd_kafka_topic_t* topic, deadline until) {
  auto what = fmt::format("topic '{}'", rd_kafka_topic_name(topic));
  metadata_ptr got;
  if (auto code = ask_metadata(with, topic, until, got))
    return fail(with.explain(code, what));
  if (got->topic_cnt != 1)
    return fail(ec::rejected, what + ": the broker did not describe it");
  auto& found = got->topics[0];
  switch (found.err) {
  case RD_KAFKA_RESP_ERR_NO_ERROR:
  case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    return std::optional{layout_of(found)};
  case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    return std::optional<topic_layout>{};
  default:
    return fail(with.explain(found.err, what));
  }
}

result<std::optional<topic_layout>>
ask_layout(handle& with, const std::string& topic, deadline until) {
  topic_ptr known{rd_kafka_topic_new(with.raw(), topic.c_str(), nullptr)};
  if (!known)
    return fail(
        make_error(rd_kafka_last_error(), fmt::format("topic '{}'", topic)));
  return ask_layout(with, known.get(), until);
}

result<std::vector<int>> ask_brokers(handle& with, deadline until) {
  metadata_ptr got;
  if (auto code = ask_metadata(with, nullptr, until, got))
    return fail(with.explain(code, "list of brokers"));
  std::vector<int> out;
  for (int i = 0; i < got->broker_cnt; ++i)
    out.push_back(got->brokers[i].id);
  return out;
}

result<watermarks> ask_watermarks(handle& with, const std::string& topic,
                                  std::int32_t partition, deadline until) {
  // Not rd_kafka_query_watermark_offsets: it does not honour its time-out.
  auto ask = [&](std::int64_t which) -> result<std::int64_t> {
    std::unique_ptr<rd_kafka_topic_partition_list_t, list_deleter> list{
        rd_kafka_topic_partition_list_new(1)};
    auto* entry =
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
    auto code = repeat_transient(until, [&](int wait_ms) {
      entry->offset = which;
      auto all = rd_kafka_offsets_for_times(with.raw(), list.get(), wait_ms);
      auto how = all ? all : entry->err;
      // librdkafka's word for a partition without a leader, such as those of a
      // broker that comes back from a pause, as well as for none at all.
      if (how == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION &&
          has_partition(with, topic, partition, until))
        return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
      return how;
    });
    if (code)
      return fail(
          with.explain(code, fmt::format("offsets of topic '{}' partition {}",
                                         topic, partition)));
    return entry->offset;
  };
  auto low = ask(RD_KAFKA_OFFSET_BEGINNING);
  if (!low)
    return fail(low.error());
  auto high = ask(RD_KAFKA_OFFSET_END);
  if (!high)
    return fail(high.error());
  return watermarks{*low, *high};
}

result<event_ptr>
ask_admin(handle& with, rd_kafka_admin_op_t kind, std::string_view what,
          deadline until,
          const std::function<void(rd_kafka_t*, rd_kafka_AdminOptions_t*,
                                   rd_kafka_queue_t*)>& start) {
  std::unique_ptr<rd_kafka_AdminOptions_t,
                  decltype(&rd_kafka_AdminOptions_destroy)>
      options{rd_kafka_AdminOptions_new(with.raw(), kind),
              rd_kafka_AdminOptions_destroy};
  std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> queue{
      rd_kafka_queue_new(with.raw()), rd_kafka_queue_destroy};
  char why[256];
  auto limit = left_ms(until);
  rd_kafka_AdminOptions_set_request_timeout(options.get(), limit, why,
                                            sizeof why);
  if (kind == RD_KAFKA_ADMIN_OP_CREATETOPICS ||
      kind == RD_KAFKA_ADMIN_OP_DELETETOPICS ||
      kind == RD_KAFKA_ADMIN_OP_DELETERECORDS)
    rd_kafka_AdminOptions_set_operation_timeout(options.get(), limit, why,
                                                sizeof why);
  start(with.raw(), options.get(), queue.get());
  // The request has its own time-out; this one is for a library that forgot.
  event_ptr answer{await_event(queue.get(), until + 5s)};
  if (!answer)
    return fail(ec::timed_out, fmt::format("{}: no answer", what));
  if (auto code = rd_kafka_event_error(answer.get()))
    return fail(with.explain(
        code, fmt::format("{} ({})", what,
                          rd_kafka_event_error_string(answer.get()))));
  return answer;
}

} // namespace weir::kafka
