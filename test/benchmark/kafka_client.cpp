#include "test/benchmark/kafka_client.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace weir::bench {

namespace {

constexpr int request_limit_ms = 30'000;

struct list_closer {
  void operator()(rd_kafka_topic_partition_list_t* x) const noexcept {
    rd_kafka_topic_partition_list_destroy(x);
  }
};
using partition_list =
    std::unique_ptr<rd_kafka_topic_partition_list_t, list_closer>;

handle make(rd_kafka_type_t type, const std::string& brokers,
            const settings& defaults, const settings& more,
            void (*on_delivery)(rd_kafka_t*, const rd_kafka_message_t*,
                                void*)) {
  auto* conf = rd_kafka_conf_new();
  char why[512];
  auto set = [&](const std::string& name, const std::string& value) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) !=
        RD_KAFKA_CONF_OK)
      die(why);
  };
  set("bootstrap.servers", brokers);
  set("socket.nagle.disable", "true");
  set("log.connection.close", "false");
  for (auto& [name, value] : defaults)
    set(name, value);
  for (auto& [name, value] : more)
    set(name, value);
  if (on_delivery != nullptr)
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  handle out{rd_kafka_new(type, conf, why, sizeof why)};
  if (!out)
    die(why);
  return out;
}

void check(rd_kafka_resp_err_t code, const std::string& what) {
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    die(what + ": " + rd_kafka_err2str(code));
}

/// Runs one admin request and returns its event.
template <class Request>
rd_kafka_event_t* ask(const handle& client, const Request& request) {
  queue_handle queue{rd_kafka_queue_new(client.get())};
  request(queue.get());
  auto* event = rd_kafka_queue_poll(queue.get(), request_limit_ms);
  if (event == nullptr)
    die("no answer to an admin request");
  check(rd_kafka_event_error(event), "admin request");
  return event;
}

} // namespace

void die(const std::string& text) {
  std::cerr << "error: " << text << std::endl;
  // Client threads are running; their destructors have no place here.
  std::_Exit(1);
}

handle make_consumer(const std::string& brokers, const settings& more) {
  return make(RD_KAFKA_CONSUMER, brokers,
              {{"group.id", "weir-bench"},
               {"enable.auto.commit", "false"},
               {"auto.offset.reset", "error"},
               {"isolation.level", "read_committed"},
               {"check.crcs", "true"}},
              more, nullptr);
}

handle make_producer(const std::string& brokers, const settings& more) {
  return make(RD_KAFKA_PRODUCER, brokers,
              {{"enable.idempotence", "true"},
               {"acks", "all"},
               {"delivery.report.only.error", "true"}},
              more, [](rd_kafka_t*, const rd_kafka_message_t* x, void*) {
                check(x->err, "a record was not delivered");
              });
}

topic_handle open_topic(const handle& client, const std::string& topic) {
  topic_handle out{rd_kafka_topic_new(client.get(), topic.c_str(), nullptr)};
  if (!out)
    die("topic " + topic + ": " + rd_kafka_err2str(rd_kafka_last_error()));
  return out;
}

int partitions_of(const handle& client, const std::string& topic) {
  auto ref = open_topic(client, topic);
  const rd_kafka_metadata_t* data = nullptr;
  check(rd_kafka_metadata(client.get(), 0, ref.get(), &data, request_limit_ms),
        "metadata of " + topic);
  auto count = data->topic_cnt == 1 ? data->topics[0].partition_cnt : 0;
  rd_kafka_metadata_destroy(data);
  return count;
}

void create_topic(const handle& client, const std::string& topic,
                  int partitions, const settings& config) {
  if (partitions_of(client, topic) > 0)
    return;
  auto* wanted =
      rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, nullptr, 0);
  for (auto& [name, value] : config)
    check(rd_kafka_NewTopic_set_config(wanted, name.c_str(), value.c_str()),
          name);
  auto* event = ask(client, [&](rd_kafka_queue_t* queue) {
    rd_kafka_CreateTopics(client.get(), &wanted, 1, nullptr, queue);
  });
  std::size_t count = 0;
  auto** topics = rd_kafka_CreateTopics_result_topics(
      rd_kafka_event_CreateTopics_result(event), &count);
  check(rd_kafka_topic_result_error(topics[0]), "creating " + topic);
  rd_kafka_event_destroy(event);
  rd_kafka_NewTopic_destroy(wanted);
  // The answer comes before every broker's metadata has it.
  for (int tries = 0; partitions_of(client, topic) != partitions; ++tries) {
    if (tries == 200)
      die("topic " + topic + " was created and does not appear");
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
}

void delete_topic(const handle& client, const std::string& topic) {
  auto* wanted = rd_kafka_DeleteTopic_new(topic.c_str());
  auto* event = ask(client, [&](rd_kafka_queue_t* queue) {
    rd_kafka_DeleteTopics(client.get(), &wanted, 1, nullptr, queue);
  });
  std::size_t count = 0;
  auto** topics = rd_kafka_DeleteTopics_result_topics(
      rd_kafka_event_DeleteTopics_result(event), &count);
  auto code = rd_kafka_topic_result_error(topics[0]);
  if (code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    check(code, "deleting " + topic);
  rd_kafka_event_destroy(event);
  rd_kafka_DeleteTopic_destroy(wanted);
}

std::vector<std::int64_t>
end_offsets(const handle& client, const std::string& topic, int partitions) {
  // A topic that was just created has no leaders for a moment.
  for (int tries = 0;; ++tries) {
    partition_list list{rd_kafka_topic_partition_list_new(partitions)};
    for (int p = 0; p < partitions; ++p)
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p)->offset =
          RD_KAFKA_OFFSET_END;
    auto code =
        rd_kafka_offsets_for_times(client.get(), list.get(), request_limit_ms);
    std::vector<std::int64_t> out;
    for (int p = 0; p < partitions; ++p) {
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = list->elems[p].err;
      out.push_back(list->elems[p].offset);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
      return out;
    if (tries == 100)
      check(code, "offsets of " + topic);
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
}

void assign(const handle& consumer, const std::string& topic,
            const std::vector<int>& partitions,
            const std::vector<std::int64_t>& from) {
  partition_list list{
      rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size()))};
  for (auto p : partitions)
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p)->offset =
        from[static_cast<std::size_t>(p)];
  if (auto* why = rd_kafka_incremental_assign(consumer.get(), list.get()))
    die("assigning " + topic + ": " + rd_kafka_error_string(why));
}

void send(const handle& producer, const topic_handle& topic, int partition,
          std::string_view key, std::string_view value,
          std::int64_t timestamp_ms) {
  for (;;) {
    auto code = rd_kafka_producev(
        producer.get(), RD_KAFKA_V_RKT(topic.get()),
        RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
        RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
      return;
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      check(code, "sending");
    rd_kafka_poll(producer.get(), 1);
  }
}

void flush(const handle& producer) {
  rd_kafka_resp_err_t code;
  do {
    code = rd_kafka_flush(producer.get(), 1000);
  } while (code == RD_KAFKA_RESP_ERR__TIMED_OUT);
  check(code, "flush");
}

} // namespace weir::bench
