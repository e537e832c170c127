// Starts the servers of the integration tests for shell scripts and benchmarks:
//
//   weir-test-servers --kafka [--data DIR]
//
// prints their addresses as one line of JSON, such as {"kafka":"127.0.0.1:9"},
// and stops them when its standard input ends.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "test/servers/kafka_server.hpp"

namespace {

struct arguments {
  bool kafka = false;
  std::filesystem::path data;
};

std::optional<arguments> parse(int argc, char** argv) {
  arguments out;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--kafka")
      out.kafka = true;
    else if (argument == "--data" && i + 1 < argc)
      out.data = argv[++i];
    else
      return std::nullopt;
  }
  if (!out.kafka)
    return std::nullopt;
  return out;
}

void wait_for_end_of_input() {
  char buffer[64];
  while (read(STDIN_FILENO, buffer, sizeof buffer) > 0)
    ;
}

} // namespace

int main(int argc, char** argv) {
  auto wanted = parse(argc, argv);
  if (!wanted) {
    std::cerr << "usage: weir-test-servers --kafka [--data DIR]\n";
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
    std::cout << addresses << std::endl;
    wait_for_end_of_input();
  } catch (const std::exception& why) {
    std::cerr << "weir-test-servers: " << why.what() << '\n';
    return 1;
  }
}
