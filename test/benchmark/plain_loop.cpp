// The ceiling: the stock job, or a shape's, as the fastest plain loop over
// librdkafka. No recovery, no store, no runtime; what weir costs is measured
// against it.
//
// Each thread has a consumer with its share of the partitions and a producer of
// its own; it keeps state in a hash map (plain_work.hpp), sends one output a
// record, and once a commit every changed key and its positions to a changelog.
// At-least-once flushes at a commit; exactly-once does all in transactions.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "test/benchmark/plain_work.hpp"
#include "test/benchmark/shape.hpp"

namespace {

using namespace weir::bench;
using clock_type = std::chrono::steady_clock;

struct options {
  std::string brokers;
  std::vector<std::string> inputs{"ticks"};
  /// Empty: none.
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
  bool shape = false;
  bool parse = false;
};

std::unique_ptr<plain_work> make_work(const options& o) {
  if (o.shape)
    return make_shape_work();
  return o.parse ? make_parsing_stock_work() : make_stock_work();
}

std::atomic<bool> stopping{false};
std::atomic<clock_type::rep> first_record{0};

/// By input and partition.
using all_ends = std::vector<std::vector<std::int64_t>>;

class worker {
public:
  worker(const options& o, int number, int count, const all_ends& ends)
      : options_(o), work_(make_work(o)), ends_(ends), positions_(ends.size()) {
    for (auto& each : positions_)
      each.resize(ends_.front().size(), 0);
    for (int p = number; p < static_cast<int>(ends.front().size()); p += count)
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
        // A batch of slow records lasts longer than a commit's interval.
        if (options_.shape && clock_type::now() - last_commit_ >= interval())
          commit(true);
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
      auto kb = options_.prefetch_kb * static_cast<int>(partitions_.size()) *
                static_cast<int>(options_.inputs.size());
      more.push_back({"queued.min.messages", "5000000"});
      more.push_back({"queued.max.messages.kbytes", std::to_string(kb)});
    }
    consumer_ = make_consumer(options_.brokers, more);
    rd_kafka_poll_set_consumer(consumer_.get());
    queue_.reset(rd_kafka_queue_get_consumer(consumer_.get()));
    std::vector<std::int64_t> from(ends_.front().size(),
                                   RD_KAFKA_OFFSET_BEGINNING);
    for (auto& topic : options_.inputs) {
      assign(consumer_, topic, partitions_, from);
      inputs_.push_back(open_topic(consumer_, topic));
    }
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
    if (!options_.output.empty())
      output_ = open_topic(producer_, options_.output);
    changelog_ = open_topic(producer_, options_.changelog);
    // The first transaction waits half a second for them otherwise.
    if (output_)
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
    for (std::size_t input = 0; input < ends_.size(); ++input)
      for (auto p : partitions_) {
        auto i = static_cast<std::size_t>(p);
        if (positions_[input][i] < ends_[input][i])
          return false;
      }
    return true;
  }

  std::size_t input_of(const rd_kafka_message_t& x) const {
    if (inputs_.size() == 1)
      return 0;
    std::string_view name = rd_kafka_topic_name(x.rkt);
    for (std::size_t i = 0; i < options_.inputs.size(); ++i)
      if (options_.inputs[i] == name)
        return i;
    die("a record of an unknown topic");
  }

  void handle_message(const rd_kafka_message_t& x) {
    if (x.err && x.err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
      die(rd_kafka_message_errstr(&x));
    auto& position =
        positions_[input_of(x)][static_cast<std::size_t>(x.partition)];
    if (x.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      position = x.offset;
      return;
    }
    if (records_++ == 0) {
      clock_type::rep none = 0;
      first_record.compare_exchange_strong(
          none, clock_type::now().time_since_epoch().count());
    }
    position = x.offset + 1;
    if (auto out = work_->process(x))
      send(producer_, output_, x.partition, key_of(x), *out,
           rd_kafka_message_timestamp(&x, nullptr));
  }

  void commit(bool go_on) {
    auto any = work_->take_changes(
        [this](int partition, std::string_view key, std::string_view state) {
          send(producer_, changelog_, partition, key, state);
        });
    if (any) {
      for (auto p : partitions_)
        for (auto& each : positions_)
          send(producer_, changelog_, p, "positions",
               std::to_string(each[static_cast<std::size_t>(p)]));
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
  std::unique_ptr<plain_work> work_;
  all_ends ends_;
  /// By input and partition, as `ends_`.
  all_ends positions_;
  std::vector<int> partitions_;
  handle consumer_;
  queue_handle queue_;
  handle producer_;
  std::vector<topic_handle> inputs_;
  topic_handle output_;
  topic_handle changelog_;
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
  app.add_option("--input-topic", o.inputs);
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
  app.add_flag("--parse", o.parse,
               "read each tick with the stock job's parser");
  app.add_flag("--shape", o.shape,
               "the work, inputs and output that WEIR_SHAPE_… name")
      ->excludes("--parse");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& why) {
    std::exit(app.exit(why));
  }
  o.exactly_once = guarantee == "exactly-once";
  if (o.shape) {
    auto wanted = shape_from_environment();
    o.inputs = wanted.inputs;
    o.output = wanted.output;
  }
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
    auto partitions = partitions_of(client, o.inputs.front());
    if (partitions == 0)
      die("topic " + o.inputs.front() + " does not exist");
    if (!o.output.empty())
      create_topic(client, o.output, partitions, {{"retention.ms", "-1"}});
    create_topic(client, o.changelog, partitions,
                 {{"cleanup.policy", "compact"}});
    all_ends ends;
    for (auto& topic : o.inputs)
      ends.push_back(end_offsets(client, topic, partitions));
    auto threads = std::min(o.threads, partitions);
    for (int i = 0; i < threads; ++i)
      workers.push_back(std::make_unique<worker>(o, i, threads, ends));
  }
  std::atomic<bool> done{false};
  std::thread helper;
  if (o.prefetch_kb != 0)
    helper = std::thread{[&] { keep_awake(workers, o.inputs.front(), done); }};
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
