// Puts any records into a topic, bad ones too:
//
//   weir-put-records --kafka H:P | --data DIR  TOPIC PARTITION < lines
//
// Each line is JSON: {"key":…,"value":…}; both may be missing; {"size":N} makes
// a value of N bytes. Prints how many records it put.
#include <cstdio>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "runtime/embedded/streams.hpp"
#include "runtime/kafka/kafka.hpp"

namespace {

[[noreturn]] void die(const weir::error& why) {
  std::cerr << "weir-put-records: " << to_string(why) << '\n';
  std::exit(1);
}

template <class T>
T must(weir::result<T> x) {
  if (!x)
    die(x.error());
  return std::move(*x);
}

std::unique_ptr<weir::stream_system> open(const std::string& kafka,
                                          const std::string& data) {
  if (!kafka.empty())
    return must(
        weir::open_kafka({.brokers = kafka,
                          .properties = {{"message.max.bytes", "10000000"}},
                          .client_id = "put-records"}));
  std::shared_ptr<weir::outside_world> world = weir::make_outside_world();
  weir::embedded_options options;
  options.directory = data + "/embedded";
  return must(weir::make_embedded_streams(
      must(weir::open_embedded(options, *world)), world));
}

} // namespace

int main(int argc, char** argv) {
  CLI::App cli{"puts any records into a topic"};
  std::string kafka;
  std::string data;
  std::string topic;
  int partition = 0;
  cli.add_option("--kafka", kafka);
  cli.add_option("--data", data);
  cli.add_option("TOPIC", topic)->required();
  cli.add_option("PARTITION", partition)->required();
  CLI11_PARSE(cli, argc, argv);
  auto streams = open(kafka, data);
  auto producer = must(streams->open_producer({}));
  auto where = must(producer->open_topic(topic));
  int count = 0;
  for (std::string line; std::getline(std::cin, line); ++count) {
    auto in = nlohmann::json::parse(line);
    std::string key = in.value("key", "");
    std::string value = in.value("value", "");
    if (in.contains("size"))
      value.assign(in["size"].get<std::size_t>(), 'x');
    weir::outgoing out;
    out.topic = where;
    out.partition = partition;
    if (in.contains("key"))
      out.key = key;
    if (in.contains("value") || in.contains("size"))
      out.value = value;
    if (auto sent = producer->send(out); !sent)
      die(sent.error());
  }
  if (auto done = producer->flush(std::chrono::seconds{30}); !done)
    die(done.error());
  std::printf("%d\n", count);
}
