// A network between one ZooKeeper client and its server that can be broken at
// an exact place.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::test {

/// Forwards whole packets of ZooKeeper's protocol between its own port and the
/// server's, on a thread of its own. Thread-safe.
class zookeeper_proxy {
public:
  explicit zookeeper_proxy(int server_port);
  zookeeper_proxy(const zookeeper_proxy&) = delete;
  zookeeper_proxy& operator=(const zookeeper_proxy&) = delete;
  ~zookeeper_proxy();

  /// "127.0.0.1:<port>"
  std::string hosts() const;

  /// Closes every connection; new ones are closed at once until `mend`.
  void cut();
  void mend();
  /// The next write reaches the server; when its reply comes, the reply is
  /// dropped and everything cut.
  void lose_next_reply();
  /// The next write is dropped and everything cut.
  void lose_next_request();

private:
  struct connection;
  enum class fault { none, reply, request };

  void run();
  void accept_client();
  bool pump(connection& on, bool from_client);
  bool forward(connection& on, bool from_client, const std::string& packet);
  void wake();

  int server_port_;
  int port_ = 0;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::mutex mutex_;
  bool stopping_ = false;
  bool cut_ = false;
  fault armed_ = fault::none;
  /// Proxy thread only.
  std::vector<std::unique_ptr<connection>> connections_;
  std::thread thread_;
};

} // namespace weir::test
