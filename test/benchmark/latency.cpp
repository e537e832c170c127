// End-to-end latency of a stock job that runs beside it: from sending a tick to
// reading its output read-committed. Knows the job by its topics alone, so one
// tool measures every job.
//
// A job emits one output a tick, in order per key: the n-th output of a key
// belongs to the n-th tick of it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <deque>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <CLI/CLI.hpp>

#include "apps/stock/synthetic_ticks.hpp"
#include "runtime/stream/partitioner.hpp"
#include "test/benchmark/kafka_client.hpp"

namespace {

using namespace weir::bench;
using std::chrono::duration;
using std::chrono::steady_clock;
using std::chrono::system_clock;

struct options {
  std::string brokers;
  std::string input = "ticks";
  std::string output = "changes";
  std::uint32_t rate = 5'000;
  std::uint32_t seconds = 20;
  /// Warming up; sent and matched, but not counted.
  std::uint32_t skip_seconds = 3;
  /// Between the output's appearance and the first tick.
  std::uint32_t settle_seconds = 2;
  std::uint32_t symbols = 2'000;
  std::uint64_t seed = 1;
  int linger_ms = 2;
  /// How long after the last tick the last output may come.
  std::uint32_t patience_seconds = 30;
  bool json = false;
};

struct sent_tick {
  steady_clock::time_point at;
  std::int64_t timestamp_ms;
  bool counts;
};

/// Ticks that wait for their outputs, by key.
class pending {
public:
  void sent(const std::string& key, const sent_tick& x) {
    std::lock_guard guard{mutex_};
    ticks_[key].push_back(x);
  }

  void answered(const std::string& key, std::int64_t timestamp_ms) {
    auto now = steady_clock::now();
    std::lock_guard guard{mutex_};
    auto found = ticks_.find(key);
    if (found == ticks_.end() || found->second.empty()) {
      ++unexpected;
      return;
    }
    auto tick = found->second.front();
    found->second.pop_front();
    ++matched;
    other_timestamps += tick.timestamp_ms != timestamp_ms;
    if (tick.counts)
      millis.push_back(duration<double, std::milli>{now - tick.at}.count());
  }

  std::atomic<std::uint64_t> matched{0};
  /// Outputs without a tick, and with another time than their tick's.
  std::uint64_t unexpected = 0;
  std::uint64_t other_timestamps = 0;
  std::vector<double> millis;

private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::deque<sent_tick>> ticks_;
};

class generator {
public:
  explicit generator(const options& o)
      : options_(o),
        producer_(make_producer(o.brokers,
                                {{"linger.ms", std::to_string(o.linger_ms)}})),
        topic_(open_topic(producer_, o.input)),
        partitions_(partitions_of(producer_, o.input)) {}

  /// Each tick at its own moment of an absolute schedule.
  void run(pending& waiting) {
    std::uint64_t count = std::uint64_t{options_.rate} * options_.seconds;
    auto source =
        stock::synthetic_ticks::make({count, options_.symbols, options_.seed});
    if (!source)
      die(source.error().text());
    std::string key;
    std::string value;
    auto start = steady_clock::now();
    for (std::uint64_t i = 0; source->next(key, value).value(); ++i) {
      auto planned =
          std::chrono::nanoseconds{i * 1'000'000'000u / options_.rate};
      std::this_thread::sleep_until(start + planned);
      auto stamp = std::chrono::duration_cast<std::chrono::milliseconds>(
          system_clock::now().time_since_epoch());
      waiting.sent(key,
                   {steady_clock::now(), stamp.count(),
                    planned >= std::chrono::seconds{options_.skip_seconds}});
      send(producer_, topic_, weir::partition_of(key, partitions_), key, value,
           stamp.count());
      rd_kafka_poll(producer_.get(), 0);
    }
    flush(producer_);
    sent_ = count;
  }

  int partitions() const { return partitions_; }
  const handle& client() const { return producer_; }
  /// 0 until all are sent.
  std::uint64_t sent() const { return sent_; }

private:
  const options& options_;
  handle producer_;
  topic_handle topic_;
  int partitions_;
  std::atomic<std::uint64_t> sent_{0};
};

void read_outputs(const options& o, const handle& consumer,
                  const generator& from, pending& waiting) {
  auto deadline = steady_clock::time_point::max();
  while (steady_clock::now() < deadline) {
    message x{rd_kafka_consumer_poll(consumer.get(), 100)};
    auto all = from.sent();
    if (all != 0 && deadline == steady_clock::time_point::max())
      deadline = steady_clock::now() + std::chrono::seconds{o.patience_seconds};
    if (x && x->err != RD_KAFKA_RESP_ERR_NO_ERROR)
      die(rd_kafka_message_errstr(x.get()));
    if (x)
      waiting.answered(std::string{key_of(*x)},
                       rd_kafka_message_timestamp(x.get(), nullptr));
    if (all != 0 && waiting.matched == all)
      return;
  }
}

/// A job that was just started creates its output.
int wait_for_topic(const handle& client, const options& o) {
  auto deadline =
      steady_clock::now() + std::chrono::seconds{o.patience_seconds};
  for (;;) {
    if (auto count = partitions_of(client, o.output); count > 0)
      return count;
    if (steady_clock::now() > deadline)
      die("topic " + o.output + " does not exist; is the job running?");
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
}

double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty())
    return 0;
  auto i = static_cast<std::size_t>(q * static_cast<double>(sorted.size()));
  return sorted[std::min(i, sorted.size() - 1)];
}

/// Answers the exit code.
int print_result(const options& o, pending& waiting, std::uint64_t sent) {
  auto& all = waiting.millis;
  std::sort(all.begin(), all.end());
  std::printf(
      o.json
          ? "{\"ticks\":%llu,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f,"
            "\"missing\":%llu,\"unexpected\":%llu,\"other_timestamps\":%llu}\n"
          : "%llu ticks: p50 %.1f ms, p99 %.1f ms, max %.1f ms; %llu outputs "
            "missing, %llu unexpected, %llu with another timestamp\n",
      static_cast<unsigned long long>(all.size()), quantile(all, 0.5),
      quantile(all, 0.99), all.empty() ? 0.0 : all.back(),
      static_cast<unsigned long long>(sent - waiting.matched),
      static_cast<unsigned long long>(waiting.unexpected),
      static_cast<unsigned long long>(waiting.other_timestamps));
  std::fflush(stdout);
  return sent == waiting.matched && waiting.unexpected == 0 ? 0 : 1;
}

options parse(int argc, char** argv) {
  options o;
  CLI::App app{"latency of a stock job that runs already"};
  app.add_option("--kafka", o.brokers)->required();
  app.add_option("--input-topic", o.input);
  app.add_option("--output-topic", o.output);
  app.add_option("--rate", o.rate)->check(CLI::Range(1, 1'000'000));
  app.add_option("--seconds", o.seconds);
  app.add_option("--skip-seconds", o.skip_seconds);
  app.add_option("--settle-seconds", o.settle_seconds);
  app.add_option("--symbols", o.symbols);
  app.add_option("--seed", o.seed);
  app.add_option("--linger-ms", o.linger_ms);
  app.add_option("--patience-seconds", o.patience_seconds);
  app.add_flag("--json", o.json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& why) {
    std::exit(app.exit(why));
  }
  return o;
}

} // namespace

int main(int argc, char** argv) {
  auto o = parse(argc, argv);
  generator source{o};
  if (source.partitions() == 0)
    die("topic " + o.input + " does not exist");
  auto consumer = make_consumer(o.brokers);
  rd_kafka_poll_set_consumer(consumer.get());
  auto outputs = wait_for_topic(consumer, o);
  std::vector<int> partitions(static_cast<std::size_t>(outputs));
  for (int p = 0; p < outputs; ++p)
    partitions[static_cast<std::size_t>(p)] = p;
  assign(consumer, o.output, partitions,
         end_offsets(consumer, o.output, outputs));

  // It is about to start, or to restore what it knows.
  std::this_thread::sleep_for(std::chrono::seconds{o.settle_seconds});
  pending waiting;
  std::thread reader{[&] { read_outputs(o, consumer, source, waiting); }};
  source.run(waiting);
  reader.join();
  auto code = print_result(o, waiting, source.sent());
  std::_Exit(code);
}
