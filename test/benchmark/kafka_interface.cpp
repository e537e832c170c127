// What the stream interface costs on top of librdkafka: produces and consumes
// the same records through both, in turns, against one broker.
//
//   weir-bench-kafka-interface [HOST:PORT] [RECORDS] [ROUNDS]
//
// Without an address it starts a broker of its own. The bare client is set up
// as the interface sets up its own, so that only the interface differs.
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "runtime/kafka/configuration.hpp"
#include "runtime/kafka/kafka.hpp"
#include "test/servers/kafka_server.hpp"

namespace {

using clock_type = std::chrono::steady_clock;
using namespace std::chrono_literals;
using namespace weir;

constexpr int partitions = 8;
constexpr std::size_t record_bytes = 100;
constexpr std::size_t poll_batch = 1'000;

struct figures {
  double per_second = 0;
  double cpu_us = 0;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         1e-9 * static_cast<double>(now.tv_nsec);
}

class stopwatch {
public:
  figures stop(long records) const {
    auto wall = std::chrono::duration<double>(clock_type::now() - start_);
    auto n = static_cast<double>(records);
    return {n / wall.count(), 1e6 * (cpu_seconds() - cpu_) / n};
  }

private:
  clock_type::time_point start_ = clock_type::now();
  double cpu_ = cpu_seconds();
};

template <class T>
T need(result<T> x) {
  if (!x) {
    std::fprintf(stderr, "%s\n", to_string(x.error()).c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

/// Keys of the size of a symbol, values that fill the record.
struct content {
  content() {
    for (int i = 0; i < 2'000; ++i) {
      char key[16];
      std::snprintf(key, sizeof key, "SYM%04d", i);
      keys.emplace_back(key);
    }
  }
  std::vector<std::string> keys;
  std::string value = std::string(record_bytes - 7, 'v');
};
const content data;

producer_options wanted() {
  producer_options out;
  out.queue_bytes = 32u << 20;
  return out;
}

// -- produce

figures produce_by_interface(stream_system& kafka, const std::string& topic,
                             long records) {
  auto producer = need(kafka.open_producer(wanted()));
  auto ref = need(producer->open_topic(topic));
  stopwatch watch;
  for (long i = 0; i < records; ++i) {
    outgoing x;
    x.topic = ref;
    x.partition = static_cast<std::int32_t>(i % partitions);
    x.key = data.keys[static_cast<std::size_t>(i) % data.keys.size()];
    x.value = data.value;
    x.timestamp = 1'700'000'000'000 + i;
    for (auto sent = producer->send(x); !sent; sent = producer->send(x)) {
      if (sent.error().code() != ec::queue_full)
        need(sent);
      std::this_thread::sleep_for(1ms);
    }
  }
  need(producer->flush(60s));
  return watch.stop(records);
}

figures produce_bare(const kafka_options& options, const std::string& topic,
                     long records) {
  auto conf = need(kafka::producer_configuration(options, wanted()));
  // The usual way: a callback for each delivery, served by its own thread.
  rd_kafka_conf_set_dr_msg_cb(
      conf.raw(), [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
        if (message->err)
          std::exit(1);
      });
  char why[512];
  auto* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf.raw(), why, sizeof why);
  conf.release();
  auto* native = rd_kafka_topic_new(client, topic.c_str(), nullptr);
  const rd_kafka_metadata_t* warm = nullptr;
  rd_kafka_metadata(client, 0, native, &warm, 10'000);
  rd_kafka_metadata_destroy(warm);
  std::atomic<bool> done{false};
  std::thread polling{[&] {
    while (!done)
      rd_kafka_poll(client, 100);
  }};
  stopwatch watch;
  for (long i = 0; i < records; ++i) {
    auto& key = data.keys[static_cast<std::size_t>(i) % data.keys.size()];
    while (rd_kafka_producev(
               client, RD_KAFKA_V_RKT(native),
               RD_KAFKA_V_PARTITION(static_cast<std::int32_t>(i % partitions)),
               RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
               RD_KAFKA_V_KEY(key.data(), key.size()),
               RD_KAFKA_V_VALUE(const_cast<char*>(data.value.data()),
                                data.value.size()),
               RD_KAFKA_V_TIMESTAMP(std::int64_t{1'700'000'000'000} + i),
               RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
      std::this_thread::sleep_for(1ms);
  }
  rd_kafka_flush(client, 60'000);
  auto out = watch.stop(records);
  done = true;
  polling.join();
  rd_kafka_topic_destroy(native);
  rd_kafka_destroy(client);
  return out;
}

// -- consume

/// One thread drains all partitions in turn, and sleeps when all are empty.
class waker {
public:
  void wake() {
    {
      std::lock_guard guard{mutex_};
      ++calls_;
    }
    called_.notify_one();
  }
  void wait() {
    std::unique_lock guard{mutex_};
    called_.wait_for(guard, 1s, [&] { return calls_ != seen_; });
    seen_ = calls_;
  }

private:
  std::mutex mutex_;
  std::condition_variable called_;
  long calls_ = 0;
  long seen_ = 0;
};

figures consume_by_interface(stream_system& kafka, const std::string& topic,
                             long records) {
  auto wake = std::make_shared<waker>();
  std::vector<std::unique_ptr<partition_reader>> readers;
  std::vector<record_batch> batches(partitions);
  stopwatch watch;
  for (std::int32_t p = 0; p < partitions; ++p) {
    reader_options options;
    options.topic = topic;
    options.partition = p;
    options.on_ready = [wake] { wake->wake(); };
    readers.push_back(need(kafka.open_reader(options)));
  }
  long seen = 0;
  std::size_t bytes = 0;
  while (seen < records) {
    bool any = false;
    for (std::size_t p = 0; p < partitions; ++p) {
      need(readers[p]->poll(batches[p], poll_batch));
      for (auto& each : batches[p].records())
        bytes += each.value()->size() + each.key()->size();
      seen += static_cast<long>(batches[p].size());
      any = any || !batches[p].empty();
    }
    if (!any)
      wake->wait();
  }
  auto out = watch.stop(seen);
  if (bytes != static_cast<std::size_t>(seen) * record_bytes)
    std::exit(1);
  return out;
}

figures consume_bare(const kafka_options& options, const std::string& topic,
                     long records, bool wake_brokers) {
  auto conf =
      need(kafka::consumer_configuration(options, {isolation::read_committed}));
  if (!wake_brokers) {
    // The other way not to sleep: no limit in reach.
    need(conf.set("queued.min.messages", "5000000"));
    need(conf.set("queued.max.messages.kbytes", "1000000"));
  }
  char why[512];
  auto* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf.raw(), why, sizeof why);
  conf.release();
  waker wake;
  stopwatch watch;
  std::vector<rd_kafka_queue_t*> queues;
  auto* list = rd_kafka_topic_partition_list_new(partitions);
  for (std::int32_t p = 0; p < partitions; ++p) {
    rd_kafka_topic_partition_list_add(list, topic.c_str(), p)->offset = 0;
    auto* queue = rd_kafka_queue_get_partition(client, topic.c_str(), p);
    rd_kafka_queue_forward(queue, nullptr);
    rd_kafka_queue_cb_event_enable(
        queue, [](rd_kafka_t*, void* to) { static_cast<waker*>(to)->wake(); },
        &wake);
    queues.push_back(queue);
  }
  rd_kafka_assign(client, list);
  rd_kafka_topic_partition_list_destroy(list);
  std::atomic<bool> done{false};
  std::thread helper{[&] {
    for (std::int64_t low = 0, high = 0; wake_brokers && !done;) {
      rd_kafka_query_watermark_offsets(client, topic.c_str(), 0, &low, &high,
                                       1'000);
      std::this_thread::sleep_for(10ms);
    }
  }};
  std::vector<rd_kafka_message_t*> messages(poll_batch);
  long seen = 0;
  std::size_t bytes = 0;
  while (seen < records) {
    bool any = false;
    for (auto* queue : queues) {
      auto n = rd_kafka_consume_batch_queue(queue, 0, messages.data(),
                                            messages.size());
      for (long i = 0; i < n; ++i) {
        auto* message = messages[static_cast<std::size_t>(i)];
        if (!message->err) {
          bytes += message->len + message->key_len;
          ++seen;
        }
        rd_kafka_message_destroy(message);
      }
      any = any || n > 0;
    }
    if (!any)
      wake.wait();
  }
  auto out = watch.stop(seen);
  done = true;
  helper.join();
  for (auto* queue : queues) {
    rd_kafka_queue_cb_event_enable(queue, nullptr, nullptr);
    rd_kafka_queue_destroy(queue);
  }
  rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  if (bytes != static_cast<std::size_t>(seen) * record_bytes)
    std::exit(1);
  return out;
}

// -- both in turns

figures median(std::vector<figures> all) {
  std::ranges::sort(all, {}, &figures::per_second);
  return all[all.size() / 2];
}

void print(const char* what, const figures& of, const figures& base) {
  std::printf("%-34s %10.0f records/s  %6.3f us CPU/record  %5.2f of bare, "
              "CPU %5.2f\n",
              what, of.per_second, of.cpu_us, of.per_second / base.per_second,
              of.cpu_us / base.cpu_us);
}

} // namespace

int main(int argc, char** argv) {
  kafka_options options;
  long records = argc > 2 ? std::atol(argv[2]) : 1'000'000;
  int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
  options.brokers = argc > 1 && *argv[1] != '\0'
                        ? argv[1]
                        : test::shared_kafka_server().brokers();
  auto kafka = need(open_kafka(options));
  std::vector<figures> sent[2], read[3];
  for (int round = 0; round < rounds; ++round) {
    auto topic = "kafka-interface-" + std::to_string(getpid()) + "-" +
                 std::to_string(round);
    topic_settings settings;
    settings.partitions = partitions;
    // The records' times are old.
    settings.config["retention.ms"] = "-1";
    need(kafka->create_topic(topic, settings));
    // Each way of producing fills a half of the topic; who is first changes.
    auto bare = [&] {
      sent[0].push_back(produce_bare(options, topic, records));
    };
    if (round % 2 == 0)
      bare();
    sent[1].push_back(produce_by_interface(*kafka, topic, records));
    if (round % 2 == 1)
      bare();
    for (int i = 0; i < 3; ++i) {
      auto which = (round + i) % 3;
      read[which].push_back(
          which == 1 ? consume_by_interface(*kafka, topic, 2 * records)
                     : consume_bare(options, topic, 2 * records, which == 0));
    }
    need(kafka->delete_topic(topic));
  }
  std::printf("%ld records of %zu bytes, %d partitions, medians of %d\n",
              records, record_bytes, partitions, rounds);
  print("produce, bare", median(sent[0]), median(sent[0]));
  print("produce, interface", median(sent[1]), median(sent[0]));
  print("consume, bare, small and wake-ups", median(read[0]), median(read[0]));
  print("consume, interface", median(read[1]), median(read[0]));
  print("consume, bare, 1 GB", median(read[2]), median(read[0]));
}
