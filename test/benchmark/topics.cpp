// Topics for benchmarks: fills an input with synthetic ticks, deletes what runs
// left behind.
#include <cstring>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <numeric>

#include <CLI/CLI.hpp>

#include "apps/stock/synthetic_ticks.hpp"
#include "runtime/stream/partitioner.hpp"
#include "test/benchmark/kafka_client.hpp"

namespace {

using namespace weir::bench;

struct fill_options {
  stock::synthetic_options ticks;
  std::string topic = "ticks";
  int partitions = 8;
  bool in_turn = false;
  /// Keys are equally likely, values are of this size: no ticks.
  std::size_t value_bytes = 0;
};

/// Keys KEY0000000, …, drawn by a generator that is the same everywhere.
class uniform_records {
public:
  explicit uniform_records(const fill_options& o)
      : left_(o.ticks.count), keys_(o.ticks.symbols),
        state_(o.ticks.seed * 0x9e3779b97f4a7c15u + 1),
        value_(o.value_bytes, 'v') {}

  bool next(std::string& key, std::string& value) {
    if (left_ == 0)
      return false;
    --left_;
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    auto number = std::to_string((state_ >> 33) % keys_);
    key = "KEY" +
          std::string(7 - std::min<std::size_t>(7, number.size()), '0') +
          number;
    // Compression would make a value of one letter vanish.
    for (std::size_t i = 0; i + 8 <= value_.size(); i += 8) {
      auto bits = (state_ + i) * 0x9e3779b97f4a7c15u;
      std::memcpy(value_.data() + i, &bits, 8);
    }
    value = value_;
    return true;
  }

private:
  std::uint64_t left_;
  std::uint64_t keys_;
  std::uint64_t state_;
  std::string value_;
};

/// Every symbol in turn: the state is as large as the number of records says.
class ticks_in_turn {
public:
  explicit ticks_in_turn(const stock::synthetic_options& o) : options_(o) {}

  bool next(std::string& key, std::string& value) {
    if (made_ == options_.count)
      return false;
    key = "SYM" + std::to_string(made_ % options_.symbols);
    value = "{\"symbol\":\"" + key +
            "\",\"price\":10.25,\"quantity\":100,\"ts\":" +
            std::to_string(1'700'000'000'000 + made_) +
            ",\"exchange\":\"XNAS\",\"side\":\"B\"}";
    ++made_;
    return true;
  }

private:
  stock::synthetic_options options_;
  std::uint64_t made_ = 0;
};

void fill(const std::string& brokers, const fill_options& o) {
  auto producer =
      make_producer(brokers, {{"linger.ms", "5"}, {"batch.size", "1000000"}});
  create_topic(producer, o.topic, o.partitions, {{"retention.ms", "-1"}});
  auto topic = open_topic(producer, o.topic);
  auto start = std::chrono::steady_clock::now();
  std::string key;
  std::string value;
  auto send_all = [&](auto next) {
    while (next())
      send(producer, topic, weir::partition_of(key, o.partitions), key, value);
  };
  if (o.value_bytes > 0) {
    uniform_records source{o};
    send_all([&] { return source.next(key, value); });
  } else if (o.in_turn) {
    ticks_in_turn source{o.ticks};
    send_all([&] { return source.next(key, value); });
  } else {
    auto source = stock::synthetic_ticks::make(o.ticks);
    if (!source)
      die(source.error().text());
    send_all([&] { return source->next(key, value).value(); });
  }
  flush(producer);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << o.ticks.count << " ticks in " << took.count() << " s\n";
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"topics for benchmarks"};
  std::string brokers;
  app.add_option("--kafka", brokers)->required();
  app.require_subcommand(1);

  fill_options o;
  o.ticks.count = 2'000'000;
  auto* filling = app.add_subcommand("fill", "synthetic ticks into a topic");
  filling->add_option("--topic", o.topic);
  filling->add_option("--partitions", o.partitions)->check(CLI::Range(1, 1024));
  filling->add_option("--count", o.ticks.count);
  filling->add_option("--symbols", o.ticks.symbols);
  filling->add_option("--seed", o.ticks.seed);
  filling->add_option("--value-bytes", o.value_bytes,
                      "no ticks: keys all alike, values of this size");
  filling->add_flag("--in-turn", o.in_turn, "every symbol equally often");
  filling->callback([&] { fill(brokers, o); });

  std::vector<std::string> topics;
  auto* deleting = app.add_subcommand("delete", "delete topics");
  deleting->add_option("topics", topics)->required();
  deleting->callback([&] {
    auto client = make_producer(brokers);
    for (auto& topic : topics)
      delete_topic(client, topic);
  });
  std::string topic;
  auto* ending = app.add_subcommand("ends", "sum of a topic's committed ends");
  ending->add_option("topic", topic)->required();
  ending->callback([&] {
    auto client = make_consumer(brokers);
    auto ends = end_offsets(client, topic, partitions_of(client, topic));
    std::cout << std::accumulate(ends.begin(), ends.end(), std::int64_t{0})
              << '\n';
  });
  CLI11_PARSE(app, argc, argv);
}
