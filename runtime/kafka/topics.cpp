#include "runtime/kafka/topics.hpp"

#include <charconv>
#include <thread>

#include <fmt/format.h>

namespace weir::kafka {

namespace {

using namespace std::chrono_literals;

/// Between two looks at the metadata.
constexpr auto look_again = 20ms;
/// `max.message.bytes`, where the broker does not tell.
constexpr std::size_t default_max_bytes = 1'048'588;

/// The only result of an answer about one topic.
result<void> first_result(const rd_kafka_topic_result_t** results,
                          std::size_t count, std::string_view what) {
  if (count != 1)
    return fail(ec::rejected, fmt::format("{}: no result", what));
  auto code = rd_kafka_topic_result_error(results[0]);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return {};
  auto* text = rd_kafka_topic_result_error_string(results[0]);
  auto why = make_error(code, what);
  // The broker's own sentence says which setting or policy it was.
  if (text != nullptr && *text != '\0')
    return fail(why.code(), fmt::format("{}: {}", why.text(), text));
  return fail(std::move(why));
}

struct new_topic_deleter {
  void operator()(rd_kafka_NewTopic_t* x) const noexcept {
    rd_kafka_NewTopic_destroy(x);
  }
};

using partition_list =
    std::unique_ptr<rd_kafka_topic_partition_list_t,
                    decltype(&rd_kafka_topic_partition_list_destroy)>;

/// Looks at the metadata until `done` likes it.
template <class Done>
result<void> await_layout(handle& with, const std::string& topic,
                          deadline until, std::string_view what, Done done) {
  for (;;) {
    auto layout = ask_layout(with, topic, until);
    if (!layout)
      return fail(layout.error().within(what));
    if (done(*layout))
      return {};
    if (passed(until))
      return fail(ec::timed_out,
                  fmt::format("{}: not seen by the brokers in time", what));
    std::this_thread::sleep_for(look_again);
  }
}

} // namespace

result<std::map<std::string, std::string>>
describe_config(handle& with, rd_kafka_ResourceType_t kind,
                const std::string& name, deadline until) {
  auto what = fmt::format("settings of {} '{}'",
                          rd_kafka_ResourceType_name(kind), name);
  auto answer = ask_admin(
      with, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, what, until,
      [&](auto* client, auto* options, auto* queue) {
        auto* resource = rd_kafka_ConfigResource_new(kind, name.c_str());
        rd_kafka_DescribeConfigs(client, &resource, 1, options, queue);
        rd_kafka_ConfigResource_destroy(resource);
      });
  if (!answer)
    return fail(answer.error());
  std::size_t count = 0;
  auto** resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(answer->get()), &count);
  if (count != 1)
    return fail(ec::rejected, what + ": no result");
  if (auto code = rd_kafka_ConfigResource_error(resources[0]))
    return fail(with.explain(code, what));
  auto** entries = rd_kafka_ConfigResource_configs(resources[0], &count);
  std::map<std::string, std::string> out;
  for (std::size_t i = 0; i < count; ++i)
    // A sensitive value is not told.
    if (auto* value = rd_kafka_ConfigEntry_value(entries[i]))
      out.emplace(rd_kafka_ConfigEntry_name(entries[i]), value);
  return out;
}

result<std::optional<topic_settings>>
describe_topic(handle& with, const std::string& topic, deadline until) {
  auto layout = ask_layout(with, topic, until);
  if (!layout)
    return fail(layout.error());
  if (!*layout)
    return std::optional<topic_settings>{};
  auto config = describe_config(with, RD_KAFKA_RESOURCE_TOPIC, topic, until);
  if (!config) {
    if (config.error().code() == ec::not_found)
      return std::optional<topic_settings>{};
    return fail(config.error());
  }
  topic_settings out;
  out.partitions = (*layout)->partitions;
  out.replication = (*layout)->replication;
  out.config = std::move(*config);
  return std::optional{std::move(out)};
}

result<std::size_t> ask_max_batch_bytes(handle& with, const std::string& topic,
                                        deadline until) {
  auto config = describe_config(with, RD_KAFKA_RESOURCE_TOPIC, topic, until);
  if (!config) {
    if (config.error().code() == ec::rejected)
      return default_max_bytes;
    return fail(config.error());
  }
  auto bytes = default_max_bytes;
  auto& text = (*config)["max.message.bytes"];
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

result<void> create_topic(handle& with, const std::string& topic,
                          const topic_settings& settings, deadline until) {
  auto what = fmt::format("create topic '{}'", topic);
  auto replication = settings.replication;
  if (replication == 0) {
    auto brokers = ask_brokers(with, until);
    if (!brokers)
      return fail(brokers.error().within(what));
    replication = brokers->size() >= 3 ? 3 : 1;
  }
  char why[512] = {};
  std::unique_ptr<rd_kafka_NewTopic_t, new_topic_deleter> wanted{
      rd_kafka_NewTopic_new(topic.c_str(), settings.partitions, replication,
                            why, sizeof why)};
  if (!wanted)
    return fail(ec::bad_argument, fmt::format("{}: {}", what, why));
  for (auto& [name, value] : settings.config)
    rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str());
  auto answer =
      ask_admin(with, RD_KAFKA_ADMIN_OP_CREATETOPICS, what, until,
                [&](auto* client, auto* options, auto* queue) {
                  auto* raw = wanted.get();
                  rd_kafka_CreateTopics(client, &raw, 1, options, queue);
                });
  if (!answer)
    return fail(answer.error());
  std::size_t count = 0;
  auto** results = rd_kafka_CreateTopics_result_topics(
      rd_kafka_event_CreateTopics_result(answer->get()), &count);
  if (auto done = first_result(results, count, what); !done)
    return done;
  return await_layout(with, topic, until, what, [&](auto& layout) {
    return layout && layout->usable &&
           layout->partitions == settings.partitions;
  });
}

result<void> delete_topic(handle& with, const std::string& topic,
                          deadline until) {
  auto what = fmt::format("delete topic '{}'", topic);
  auto answer =
      ask_admin(with, RD_KAFKA_ADMIN_OP_DELETETOPICS, what, until,
                [&](auto* client, auto* options, auto* queue) {
                  auto* raw = rd_kafka_DeleteTopic_new(topic.c_str());
                  rd_kafka_DeleteTopics(client, &raw, 1, options, queue);
                  rd_kafka_DeleteTopic_destroy(raw);
                });
  if (!answer)
    return fail(answer.error());
  std::size_t count = 0;
  auto** results = rd_kafka_DeleteTopics_result_topics(
      rd_kafka_event_DeleteTopics_result(answer->get()), &count);
  if (auto done = first_result(results, count, what); !done)
    return done;
  return await_layout(with, topic, until, what,
                      [](auto& layout) { return !layout; });
}

result<void> delete_records(handle& with, const std::string& topic,
                            const stream_system::partition_offsets& below,
                            deadline until) {
  if (below.empty())
    return {};
  auto what = fmt::format("delete records of topic '{}'", topic);
  // The request itself says no more of a missing topic than that it failed.
  auto layout = ask_layout(with, topic, until);
  if (!layout)
    return fail(layout.error().within(what));
  if (!*layout)
    return fail(ec::not_found, what + ": it does not exist");
  partition_list wanted{
      rd_kafka_topic_partition_list_new(static_cast<int>(below.size())),
      rd_kafka_topic_partition_list_destroy};
  for (auto& [partition, offset] : below)
    rd_kafka_topic_partition_list_add(wanted.get(), topic.c_str(), partition)
        ->offset = offset;
  auto answer =
      ask_admin(with, RD_KAFKA_ADMIN_OP_DELETERECORDS, what, until,
                [&](auto* client, auto* options, auto* queue) {
                  auto* raw = rd_kafka_DeleteRecords_new(wanted.get());
                  rd_kafka_DeleteRecords(client, &raw, 1, options, queue);
                  rd_kafka_DeleteRecords_destroy(raw);
                });
  if (!answer)
    return fail(answer.error());
  auto* offsets = rd_kafka_DeleteRecords_result_offsets(
      rd_kafka_event_DeleteRecords_result(answer->get()));
  for (int i = 0; i < offsets->cnt; ++i)
    if (auto& each = offsets->elems[i]; each.err)
      return fail(make_error(
          each.err, fmt::format("{}, partition {}", what, each.partition)));
  return {};
}

} // namespace weir::kafka
