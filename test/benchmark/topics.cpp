// Topics for benchmarks: fills an input with synthetic ticks, deletes what runs
// left behind.
#include <chrono>
#include <iostream>

#include <CLI/CLI.hpp>

#include "apps/stock/synthetic_ticks.hpp"
#include "runtime/partitioner.hpp"
#include "test/benchmark/kafka_client.hpp"

namespace {

using namespace weir::bench;

struct fill_options {
  stock::synthetic_options ticks;
  std::string topic = "ticks";
  int partitions = 8;
};

void fill(const std::string& brokers, const fill_options& o) {
  auto producer =
      make_producer(brokers, {{"linger.ms", "5"}, {"batch.size", "1000000"}});
  create_topic(producer, o.topic, o.partitions, {{"retention.ms", "-1"}});
  auto topic = open_topic(producer, o.topic);
  auto source = stock::synthetic_ticks::make(o.ticks);
  if (!source)
    die(source.error().text());
  auto start = std::chrono::steady_clock::now();
  std::string key;
  std::string value;
  while (source->next(key, value).value())
    send(producer, topic, weir::partition_of(key, o.partitions), key, value);
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
  filling->callback([&] { fill(brokers, o); });

  std::vector<std::string> topics;
  auto* deleting = app.add_subcommand("delete", "delete topics");
  deleting->add_option("topics", topics)->required();
  deleting->callback([&] {
    auto client = make_producer(brokers);
    for (auto& topic : topics)
      delete_topic(client, topic);
  });
  CLI11_PARSE(app, argc, argv);
}
