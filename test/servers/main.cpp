// Starts the servers of the integration tests for shell scripts and benchmarks:
//
//   weir-test-servers [--kafka] [--zookeeper] [--data DIR]
//
// prints their addresses as one line of JSON, such as {"kafka":"127.0.0.1:9"},
// obeys lines such as "stop kafka", "start kafka", "pause zookeeper", "resume
// zookeeper" (answered with "done"), and stops them when its standard input
// ends. A server that is paused keeps its connections and answers nobody.
#include <cstdio>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "test/servers/kafka_server.hpp"
#include "test/servers/zookeeper_server.hpp"

namespace {

struct arguments {
  bool kafka = false;
  bool zookeeper = false;
  std::filesystem::path data;
};

std::optional<arguments> parse(int argc, char** argv) {
  arguments out;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--kafka")
      out.kafka = true;
    else if (argument == "--zookeeper")
      out.zookeeper = true;
    else if (argument == "--data" && i + 1 < argc)
      out.data = argv[++i];
    else
      return std::nullopt;
  }
  if (!out.kafka && !out.zookeeper)
    return std::nullopt;
  return out;
}

template <class Server>
bool obey(std::optional<Server>& server, const std::string& verb) {
  if (!server)
    return false;
  if (verb == "stop")
    server->stop();
  else if (verb == "start")
    server->start();
  else if (verb == "pause")
    server->pause();
  else if (verb == "resume")
    server->resume();
  else
    return false;
  return true;
}

} // namespace

int main(int argc, char** argv) {
  auto wanted = parse(argc, argv);
  if (!wanted) {
    std::cerr << "usage: weir-test-servers [--kafka] [--zookeeper] "
                 "[--data DIR]\n";
    return 2;
  }
  try {
    nlohmann::json addresses;
    std::optional<weir::test::kafka_server> kafka;
    if (wanted->kafka) {
      weir::test::kafka_server_options options;
      if (!wanted->data.empty())
        options.directory = wanted->data / "kafka";
      addresses["kafka"] = kafka.emplace(std::move(options)).brokers();
    }
    std::optional<weir::test::zookeeper_server> zookeeper;
    if (wanted->zookeeper) {
      weir::test::zookeeper_server_options options;
      if (!wanted->data.empty())
        options.directory = wanted->data / "zookeeper";
      addresses["zookeeper"] = zookeeper.emplace(std::move(options)).hosts();
    }
    std::cout << addresses << std::endl;
    for (std::string verb, what; std::cin >> verb >> what;) {
      bool done = what == "kafka"       ? obey(kafka, verb)
                  : what == "zookeeper" ? obey(zookeeper, verb)
                                        : false;
      std::cout << (done ? "done" : "unknown") << std::endl;
    }
  } catch (const std::exception& why) {
    std::cerr << "weir-test-servers: " << why.what() << '\n';
    return 1;
  }
}
