// Does to a topic of a broker what its operators do beside a job:
//
//   weir-edit-topic --kafka H:P grow TOPIC PARTITIONS
//   weir-edit-topic --kafka H:P trim TOPIC PARTITION OFFSET
//   weir-edit-topic --kafka H:P set TOPIC NAME VALUE
//
// `trim` deletes the records before the offset, as retention does.
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>
#include <librdkafka/rdkafka.h>

namespace {

template <auto Destroy>
struct destroyer {
  template <class T>
  void operator()(T* x) const noexcept {
    Destroy(x);
  }
};
template <class T, auto Destroy>
using owned = std::unique_ptr<T, destroyer<Destroy>>;

using client = owned<rd_kafka_t, rd_kafka_destroy>;
using event = owned<rd_kafka_event_t, rd_kafka_event_destroy>;

constexpr int answer_ms = 30'000;

struct arguments {
  std::string kafka;
  std::string topic;
  int partition = 0;
  int partitions = 0;
  std::int64_t offset = 0;
  std::string name;
  std::string value;
};

client connect(const std::string& brokers) {
  char why[512] = {};
  auto* conf = rd_kafka_conf_new();
  if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers.c_str(), why,
                        sizeof why) != RD_KAFKA_CONF_OK)
    throw std::runtime_error{why};
  client out{rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why)};
  if (!out)
    throw std::runtime_error{why};
  return out;
}

/// Sends one admin request; throws its error, or what `check` finds in it.
void ask(const arguments& x,
         const std::function<void(rd_kafka_t*, rd_kafka_queue_t*)>& send,
         const std::function<std::string(rd_kafka_event_t*)>& check) {
  auto with = connect(x.kafka);
  owned<rd_kafka_queue_t, rd_kafka_queue_destroy> answers{
      rd_kafka_queue_new(with.get())};
  send(with.get(), answers.get());
  event answer{rd_kafka_queue_poll(answers.get(), answer_ms)};
  if (!answer)
    throw std::runtime_error{"no answer in 30 s"};
  if (rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error{rd_kafka_event_error_string(answer.get())};
  if (auto why = check(answer.get()); !why.empty())
    throw std::runtime_error{why};
}

/// What is wrong with the one topic that was asked about; empty = nothing.
template <class T>
std::string word_on(const T** each, std::size_t count,
                    const char* (*error_of)(const T*)) {
  auto* text = count == 1 ? error_of(each[0]) : "an answer about no topic";
  return text != nullptr ? text : "";
}

void grow(const arguments& x) {
  char why[512] = {};
  owned<rd_kafka_NewPartitions_t, rd_kafka_NewPartitions_destroy> wanted{
      rd_kafka_NewPartitions_new(x.topic.c_str(),
                                 static_cast<std::size_t>(x.partitions), why,
                                 sizeof why)};
  if (!wanted)
    throw std::runtime_error{why};
  ask(
      x,
      [&](auto* with, auto* queue) {
        auto* raw = wanted.get();
        rd_kafka_CreatePartitions(with, &raw, 1, nullptr, queue);
      },
      [](auto* answer) -> std::string {
        std::size_t count = 0;
        auto** each = rd_kafka_CreatePartitions_result_topics(
            rd_kafka_event_CreatePartitions_result(answer), &count);
        return word_on(each, count, rd_kafka_topic_result_error_string);
      });
}

void trim(const arguments& x) {
  using list = owned<rd_kafka_topic_partition_list_t,
                     rd_kafka_topic_partition_list_destroy>;
  list where{rd_kafka_topic_partition_list_new(1)};
  rd_kafka_topic_partition_list_add(where.get(), x.topic.c_str(), x.partition)
      ->offset = x.offset;
  owned<rd_kafka_DeleteRecords_t, rd_kafka_DeleteRecords_destroy> wanted{
      rd_kafka_DeleteRecords_new(where.get())};
  ask(
      x,
      [&](auto* with, auto* queue) {
        auto* raw = wanted.get();
        rd_kafka_DeleteRecords(with, &raw, 1, nullptr, queue);
      },
      [](auto* answer) -> std::string {
        auto* done = rd_kafka_DeleteRecords_result_offsets(
            rd_kafka_event_DeleteRecords_result(answer));
        auto how = done->elems[0].err;
        return how == RD_KAFKA_RESP_ERR_NO_ERROR ? "" : rd_kafka_err2str(how);
      });
}

/// What else was set of the topic goes back to its default.
void set(const arguments& x) {
  owned<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy> wanted{
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, x.topic.c_str())};
  rd_kafka_ConfigResource_set_config(wanted.get(), x.name.c_str(),
                                     x.value.c_str());
  ask(
      x,
      [&](auto* with, auto* queue) {
        auto* raw = wanted.get();
        rd_kafka_AlterConfigs(with, &raw, 1, nullptr, queue);
      },
      [](auto* answer) -> std::string {
        std::size_t count = 0;
        auto** each = rd_kafka_AlterConfigs_result_resources(
            rd_kafka_event_AlterConfigs_result(answer), &count);
        return word_on(each, count, rd_kafka_ConfigResource_error_string);
      });
}

} // namespace

int main(int argc, char** argv) {
  arguments x;
  CLI::App cli{"changes a topic as its operators do"};
  cli.add_option("--kafka", x.kafka)->required();
  cli.require_subcommand(1);
  auto verb = [&](const char* name, void (*action)(const arguments&)) {
    auto* out = cli.add_subcommand(name);
    out->add_option("TOPIC", x.topic)->required();
    out->callback([&x, action] { action(x); });
    return out;
  };
  verb("grow", grow)->add_option("PARTITIONS", x.partitions)->required();
  auto* trimming = verb("trim", trim);
  trimming->add_option("PARTITION", x.partition)->required();
  trimming->add_option("OFFSET", x.offset)->required();
  auto* setting = verb("set", set);
  setting->add_option("NAME", x.name)->required();
  setting->add_option("VALUE", x.value)->required();
  try {
    CLI11_PARSE(cli, argc, argv);
  } catch (const std::exception& problem) {
    std::cerr << problem.what() << '\n';
    return 1;
  }
}
