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

#include "test/integration/open_streams.hpp"

using weir::test::must;

int main(int argc, char** argv) {
  CLI::App cli{"puts any records into a topic"};
  weir::test::log_place place;
  std::string topic;
  int partition = 0;
  weir::test::add_options(cli, place);
  cli.add_option("TOPIC", topic)->required();
  cli.add_option("PARTITION", partition)->required();
  CLI11_PARSE(cli, argc, argv);
  auto streams = must(weir::test::open_streams(place));
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
    must(producer->send(out));
  }
  must(producer->flush(std::chrono::seconds{30}));
  std::printf("%d\n", count);
}
