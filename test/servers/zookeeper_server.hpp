// A real ZooKeeper server for tests: Debian's jars, standalone, on loopback.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "test/servers/child_process.hpp"
#include "test/temporary_directory.hpp"

namespace weir::test {

struct zookeeper_server_options {
  /// Sessions may last from two ticks to one minute.
  std::chrono::milliseconds tick{500};
  /// Where its data goes and stays; empty = a temporary directory, removed.
  std::filesystem::path directory;
};

/// Starts in the constructor and is killed in the destructor, or by the kernel
/// when the test dies. Throws std::runtime_error with the server's own words
/// when it cannot start: a test without its server fails. Used by one thread.
class zookeeper_server {
public:
  explicit zookeeper_server(zookeeper_server_options options = {});
  zookeeper_server(const zookeeper_server&) = delete;
  zookeeper_server& operator=(const zookeeper_server&) = delete;
  ~zookeeper_server();

  /// "127.0.0.1:<port>", the same after a stop and start.
  std::string hosts() const;
  int port() const noexcept { return port_; }

  /// Returns when the server answers `ruok`.
  void start();
  /// SIGTERM and wait; the data stays.
  void stop();
  /// SIGKILL; every answered write was synced.
  void kill();
  /// SIGSTOP and SIGCONT: connections stay open and nobody answers. The server
  /// counts the pause towards session timeouts.
  void pause();
  void resume();
  /// The answer to a four-letter word, such as "cons"; empty without one.
  std::string ask(const std::string& word) const;

private:
  void write_configuration() const;

  zookeeper_server_options options_;
  /// Where none was given.
  std::optional<temporary_directory> own_directory_;
  std::filesystem::path directory_;
  int port_;
  std::unique_ptr<child_process> process_;
};

/// The server that all test cases of an executable share; started when it is
/// asked for first.
zookeeper_server& shared_zookeeper_server();

} // namespace weir::test
