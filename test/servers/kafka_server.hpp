// A real Kafka broker for tests: one KRaft process on free loopback ports.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/servers/child_process.hpp"
#include "test/temporary_directory.hpp"

namespace weir::test {

struct kafka_server_options {
  /// Broker settings beside (and above) the small and fast ones of the fixture.
  std::map<std::string, std::string> properties;
  /// Where its data goes and stays; empty = a temporary directory, removed.
  std::filesystem::path directory;
  std::vector<std::string> java_options{"-Xmx512m"};
};

/// Starts in the constructor and is killed in the destructor, or by the kernel
/// when the test dies. Throws std::runtime_error with the broker's own words
/// when it cannot start: a test without its server fails. Used by one thread.
class kafka_server {
public:
  explicit kafka_server(kafka_server_options options = {});
  kafka_server(const kafka_server&) = delete;
  kafka_server& operator=(const kafka_server&) = delete;
  ~kafka_server();

  /// "127.0.0.1:<port>", the same after a stop and start.
  std::string brokers() const;

  /// Returns when the broker serves requests.
  void start();
  /// SIGTERM and wait; the data stays.
  void stop();
  /// SIGKILL: what was not flushed by the broker stays in the page cache.
  void kill();
  /// SIGSTOP and SIGCONT: connections stay open and nobody answers.
  void pause();
  void resume();
  bool running() const;

private:
  void format();
  std::vector<std::string> java(const std::string& main_class) const;

  kafka_server_options options_;
  /// Where none was given.
  std::optional<temporary_directory> own_directory_;
  std::filesystem::path directory_;
  std::string jars_;
  int port_;
  int controller_port_;
  std::unique_ptr<child_process> process_;
};

/// The broker that all test cases of an executable share; started when it is
/// asked for first.
kafka_server& shared_kafka_server();

} // namespace weir::test
