// The ceiling: the stock job as the fastest plain loop over librdkafka. No
// recovery, no store, no runtime; what weir costs is measured against it.
//
// Each thread has a consumer with its share of the partitions and a producer of
// its own; it scans the JSON by hand, keeps quotes in a hash map, sends one
// output a tick, and once a commit every changed key and its positions to a
// changelog. At-least-once flushes at a commit; exactly-once does all in
// transactions.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <CLI/CLI.hpp>

#include "test/benchmark/kafka_client.hpp"

namespace {

using namespace weir::bench;
using clock_type = std::chrono::steady_clock;

struct options {
  std::string brokers;
  std::string input = "ticks";
  std::string output = "plain-changes";
  std::string changelog = "plain-changelog";
  bool exactly_once = false;
  /// 0 = the guarantee's default.
  int commit_ms = 0;
  int threads = 2;
  /// Fetched ahead, per partition; 0 = the largest that librdkafka takes.
  int prefetch_kb = 4096;
  int linger_ms = 5;
  int queue_mb = 64;
  bool follow = false;
  bool json = false;
};

std::atomic<bool> stopping{false};
std::atomic<clock_type::rep> first_record{0};

struct quote {
  double price = 0;
  std::int64_t quantity = 0;
  double change_rate = 0;
  std::int32_t partition = 0;
  bool changed = false;
};

struct view_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view x) const noexcept {
    return std::hash<std::string_view>{}(x);
  }
};
using quotes =
    std::unordered_map<std::string, quote, view_hash, std::equal_to<>>;

/// The number behind `"name":`, without any check of the document.
template <class Number>
Number scan(std::string_view json, std::string_view name) {
  auto at = json.find(name);
  Number out{};
  if (at != std::string_view::npos)
    std::from_chars(json.data() + at + name.size(), json.data() + json.size(),
                    out);
  return out;
}

char* put(char* at, std::string_view text) {
  return at + text.copy(at, text.size());
}

template <class Number>
char* put_number(char* at, Number x) {
  return std::to_chars(at, at + 32, x).ptr;
}

class worker {
public:
  worker(const options& o, int number, int count,
         const std::vector<std::int64_t>& ends)
      : options_(o), ends_(ends), positions_(ends.size(), 0) {
    for (int p = number; p < static_cast<int>(ends.size()); p += count)
      partitions_.push_back(p);
    open_consumer();
    open_producer(number);
  }

  void run() {
    last_commit_ = clock_type::now();
    if (options_.exactly_once)
      begin();
    std::vector<rd_kafka_message_t*> batch(2048);
    while (options_.follow ? !stopping.load() : !at_end()) {
      auto got = rd_kafka_consume_batch_queue(queue_.get(), 0, batch.data(),
                                              batch.size());
      if (got < 0)
        die("consume failed");
      // A longer wait for a batch would collect until the batch is full.
      if (got == 0) {
        if (auto* one = rd_kafka_consume_queue(queue_.get(), 1)) {
          batch[0] = one;
          got = 1;
        }
      }
      for (int i = 0; i < static_cast<int>(got); ++i) {
        handle_message(*batch[static_cast<std::size_t>(i)]);
        rd_kafka_message_destroy(batch[static_cast<std::size_t>(i)]);
      }
      rd_kafka_poll(producer_.get(), 0);
      if (clock_type::now() - last_commit_ >= interval())
        commit(true);
    }
    commit(false);
    finished_ = clock_type::now();
  }

  std::uint64_t records() const { return records_; }
  clock_type::time_point finished() const { return finished_; }
  const handle& consumer() const { return consumer_; }
  int any_partition() const { return partitions_.front(); }

private:
  std::chrono::milliseconds interval() const {
    if (options_.commit_ms != 0)
      return std::chrono::milliseconds{options_.commit_ms};
    return std::chrono::milliseconds{options_.exactly_once ? 100 : 1000};
  }

  void open_consumer() {
    settings more{{"enable.partition.eof", "true"}};
    if (options_.prefetch_kb == 0) {
      more.push_back({"queued.min.messages", "5000000"});
      more.push_back({"queued.max.messages.kbytes", "1000000"});
    } else {
      // The partitions of a consumer share one queue and so one limit.
      auto kb = options_.prefetch_kb * static_cast<int>(partitions_.size());
      more.push_back({"queued.min.messages", "5000000"});
      more.push_back({"queued.max.messages.kbytes", std::to_string(kb)});
    }
    consumer_ = make_consumer(options_.brokers, more);
    rd_kafka_poll_set_consumer(consumer_.get());
    queue_.reset(rd_kafka_queue_get_consumer(consumer_.get()));
    std::vector<std::int64_t> from(ends_.size(), RD_KAFKA_OFFSET_BEGINNING);
    assign(consumer_, options_.input, partitions_, from);
  }

  void open_producer(int number) {
    settings more{{"linger.ms", std::to_string(options_.linger_ms)},
                  {"batch.size", "1000000"},
                  {"queue.buffering.max.messages", "1000000"},
                  {"queue.buffering.max.kbytes",
                   std::to_string(options_.queue_mb * 1024)}};
    if (options_.exactly_once)
      more.push_back({"transactional.id",
                      "plain." + std::to_string(std::random_device{}()) + '.' +
                          std::to_string(number)});
    producer_ = make_producer(options_.brokers, more);
    output_ = open_topic(producer_, options_.output);
    changelog_ = open_topic(producer_, options_.changelog);
    // The first transaction waits half a second for them otherwise.
    partitions_of(producer_, options_.output);
    partitions_of(producer_, options_.changelog);
    if (options_.exactly_once)
      check(rd_kafka_init_transactions(producer_.get(), 30'000));
  }

  static void check(rd_kafka_error_t* why) {
    if (why != nullptr)
      die(rd_kafka_error_string(why));
  }

  void begin() { check(rd_kafka_begin_transaction(producer_.get())); }

  bool at_end() const {
    return std::all_of(partitions_.begin(), partitions_.end(), [&](int p) {
      auto i = static_cast<std::size_t>(p);
      return positions_[i] >= ends_[i];
    });
  }

  void handle_message(const rd_kafka_message_t& x) {
    auto p = static_cast<std::size_t>(x.partition);
    if (x.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      positions_[p] = x.offset;
      return;
    }
    if (x.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      die(rd_kafka_message_errstr(&x));
    if (records_++ == 0) {
      clock_type::rep none = 0;
      first_record.compare_exchange_strong(
          none, clock_type::now().time_since_epoch().count());
    }
    positions_[p] = x.offset + 1;
    process(x);
  }

  void process(const rd_kafka_message_t& x) {
    auto key = key_of(x);
    auto found = quotes_.find(key);
    if (found == quotes_.end())
      found = quotes_.emplace(std::string{key}, quote{}).first;
    auto& q = found->second;
    auto json = value_of(x);
    auto price = scan<double>(json, "\"price\":");
    q.change_rate = q.price > 0 ? (price - q.price) / q.price * 100 : 0;
    q.price = price;
    q.quantity += scan<std::int64_t>(json, "\"quantity\":");
    if (!q.changed) {
      q.changed = true;
      q.partition = x.partition;
      changed_.push_back(&*found);
    }
    char text[512];
    if (key.size() > 256)
      die("a key is longer than this loop expects");
    auto at = put(put(put(text, "{\"symbol\":\""), key), "\",\"price\":");
    at = put(put_number(at, q.price), ",\"quantity\":");
    at = put(put_number(at, q.quantity), ",\"change_rate\":");
    at = put(put_number(at, q.change_rate), "}");
    send(producer_, output_, x.partition, key,
         {text, static_cast<std::size_t>(at - text)},
         rd_kafka_message_timestamp(&x, nullptr));
  }

  void commit(bool go_on) {
    for (auto* x : changed_) {
      auto& q = x->second;
      char bytes[24];
      std::memcpy(bytes, &q.price, 8);
      std::memcpy(bytes + 8, &q.quantity, 8);
      std::memcpy(bytes + 16, &q.change_rate, 8);
      send(producer_, changelog_, q.partition, x->first, {bytes, 24});
      q.changed = false;
    }
    if (!changed_.empty()) {
      for (auto p : partitions_)
        send(producer_, changelog_, p, "positions",
             std::to_string(positions_[static_cast<std::size_t>(p)]));
      changed_.clear();
      if (options_.exactly_once) {
        check(rd_kafka_commit_transaction(producer_.get(), -1));
        if (go_on)
          begin();
      } else {
        flush(producer_);
      }
    }
    last_commit_ = clock_type::now();
  }

  const options& options_;
  std::vector<std::int64_t> ends_;
  std::vector<std::int64_t> positions_;
  std::vector<int> partitions_;
  handle consumer_;
  queue_handle queue_;
  handle producer_;
  topic_handle output_;
  topic_handle changelog_;
  quotes quotes_;
  std::vector<quotes::value_type*> changed_;
  std::uint64_t records_ = 0;
  clock_type::time_point last_commit_;
  clock_type::time_point finished_;
};

/// librdkafka 2.0.2's fetching thread sleeps up to a second when a prefetch
/// limit is reached; any request on its handle wakes it.
void keep_awake(const std::vector<std::unique_ptr<worker>>& workers,
                const std::string& topic, const std::atomic<bool>& done) {
  while (!done.load()) {
    for (auto& w : workers) {
      std::int64_t low = 0;
      std::int64_t high = 0;
      rd_kafka_query_watermark_offsets(w->consumer().get(), topic.c_str(),
                                       w->any_partition(), &low, &high, 1000);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
}

double peak_mb() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0)
      return std::stod(line.substr(6)) / 1024;
  return 0;
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto seconds = [](timeval x) {
    return static_cast<double>(x.tv_sec) + static_cast<double>(x.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void print_result(const options& o, std::uint64_t records, double seconds) {
  auto rate = seconds > 0 ? static_cast<double>(records) / seconds : 0;
  auto cpu = cpu_seconds() / (static_cast<double>(records) / 1e6);
  std::printf(o.json ? "{\"records\":%llu,\"seconds\":%.3f,"
                       "\"records_per_second\":%.0f,"
                       "\"cpu_seconds_per_million\":%.2f,\"peak_mb\":%.0f}\n"
                     : "%llu records in %.3f s: %.0f records/s, %.2f CPU s per "
                       "million, %.0f MB at most\n",
              static_cast<unsigned long long>(records), seconds, rate, cpu,
              peak_mb());
  std::fflush(stdout);
}

options parse(int argc, char** argv) {
  options o;
  CLI::App app{"the stock job as a plain loop over librdkafka"};
  std::string guarantee = "at-least-once";
  app.add_option("--kafka", o.brokers)->required();
  app.add_option("--input-topic", o.input);
  app.add_option("--output-topic", o.output);
  app.add_option("--changelog-topic", o.changelog);
  app.add_option("--guarantee", guarantee)
      ->check(CLI::IsMember({"at-least-once", "exactly-once"}));
  app.add_option("--commit-ms", o.commit_ms,
                 "default 1000 at-least-once, 100 exactly-once");
  app.add_option("--threads", o.threads)->check(CLI::Range(1, 64));
  app.add_option("--prefetch-kb", o.prefetch_kb,
                 "per partition; 0 = big buffers and no waking thread");
  app.add_option("--linger-ms", o.linger_ms);
  app.add_option("--queue-mb", o.queue_mb, "of each producer");
  app.add_flag("--follow", o.follow, "go on until SIGTERM or SIGINT");
  app.add_flag("--json", o.json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& why) {
    std::exit(app.exit(why));
  }
  o.exactly_once = guarantee == "exactly-once";
  return o;
}

} // namespace

int main(int argc, char** argv) {
  auto o = parse(argc, argv);
  std::signal(SIGTERM, [](int) { stopping = true; });
  std::signal(SIGINT, [](int) { stopping = true; });
  std::vector<std::unique_ptr<worker>> workers;
  {
    auto client = make_consumer(o.brokers);
    auto partitions = partitions_of(client, o.input);
    if (partitions == 0)
      die("topic " + o.input + " does not exist");
    create_topic(client, o.output, partitions, {{"retention.ms", "-1"}});
    create_topic(client, o.changelog, partitions,
                 {{"cleanup.policy", "compact"}});
    auto ends = end_offsets(client, o.input, partitions);
    auto threads = std::min(o.threads, partitions);
    for (int i = 0; i < threads; ++i)
      workers.push_back(std::make_unique<worker>(o, i, threads, ends));
  }
  std::atomic<bool> done{false};
  std::thread helper;
  if (o.prefetch_kb != 0)
    helper = std::thread{[&] { keep_awake(workers, o.input, done); }};
  std::vector<std::thread> threads;
  for (auto& w : workers)
    threads.emplace_back([&] { w->run(); });
  for (auto& t : threads)
    t.join();
  done = true;
  if (helper.joinable())
    helper.join();
  std::uint64_t records = 0;
  clock_type::time_point end{};
  for (auto& w : workers) {
    records += w->records();
    end = std::max(end, w->finished());
  }
  clock_type::time_point start{clock_type::duration{first_record.load()}};
  print_result(o, records, std::chrono::duration<double>(end - start).count());
  // Closing idle consumers takes a second that nobody wants to wait for.
  std::_Exit(0);
}
