#include "test/servers/zookeeper_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace weir::test {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  return out;
}

std::int32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = at; i < at + 4; ++i)
    out = out << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<std::int32_t>(out);
}

bool send_all(int to, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    auto n = send(to, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

/// Takes a packet (4 bytes length, then so many) off the front.
std::optional<std::string> take_packet(std::string& bytes) {
  if (bytes.size() < 4)
    return std::nullopt;
  auto size = static_cast<std::size_t>(number_at(bytes, 0)) + 4;
  if (bytes.size() < size)
    return std::nullopt;
  auto out = bytes.substr(0, size);
  bytes.erase(0, size);
  return out;
}

/// The opcodes of create, delete, setData, multi and create2.
bool is_write(std::int32_t opcode) {
  return opcode == 1 || opcode == 2 || opcode == 5 || opcode == 14 ||
         opcode == 15;
}

} // namespace

struct zookeeper_proxy::connection {
  int client = -1;
  int server = -1;
  std::string from_client;
  std::string from_server;
  /// The first packet each way is the handshake and has no header.
  bool greeted[2] = {false, false};
  /// Number of the request whose reply gets lost.
  std::optional<std::int32_t> doomed;

  ~connection() {
    close(client);
    close(server);
  }
};

zookeeper_proxy::zookeeper_proxy(int server_port) : server_port_(server_port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || bind(listener_, raw, size) != 0 ||
      listen(listener_, 16) != 0 || getsockname(listener_, raw, &size) != 0 ||
      pipe(wake_) != 0)
    throw std::runtime_error{"cannot listen on 127.0.0.1"};
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { run(); }};
}

zookeeper_proxy::~zookeeper_proxy() {
  {
    std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  wake();
  thread_.join();
  close(listener_);
  close(wake_[0]);
  close(wake_[1]);
}

std::string zookeeper_proxy::hosts() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void zookeeper_proxy::cut() {
  {
    std::lock_guard guard{mutex_};
    cut_ = true;
  }
  wake();
}

void zookeeper_proxy::mend() {
  std::lock_guard guard{mutex_};
  cut_ = false;
}

void zookeeper_proxy::lose_next_reply() {
  std::lock_guard guard{mutex_};
  armed_ = fault::reply;
}

void zookeeper_proxy::lose_next_request() {
  std::lock_guard guard{mutex_};
  armed_ = fault::request;
}

void zookeeper_proxy::wake() {
  [[maybe_unused]] auto n = write(wake_[1], "x", 1);
}

void zookeeper_proxy::run() {
  for (;;) {
    std::vector<pollfd> fds{{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
    for (auto& each : connections_) {
      fds.push_back({each->client, POLLIN, 0});
      fds.push_back({each->server, POLLIN, 0});
    }
    poll(fds.data(), fds.size(), -1);
    if (fds[1].revents != 0) {
      char buffer[16];
      [[maybe_unused]] auto n = read(wake_[0], buffer, sizeof buffer);
    }
    bool is_cut = false;
    {
      std::lock_guard guard{mutex_};
      if (stopping_)
        break;
      is_cut = cut_;
    }
    if (is_cut)
      connections_.clear();
    // Those that were polled, unless they are gone already.
    for (std::size_t i = 2; i < fds.size() && !connections_.empty(); ++i) {
      auto& on = connections_[(i - 2) / 2];
      if (fds[i].revents != 0 && on && !pump(*on, i % 2 == 0))
        on.reset();
    }
    std::erase(connections_, nullptr);
    if (fds[0].revents != 0)
      accept_client();
  }
  connections_.clear();
}

void zookeeper_proxy::accept_client() {
  auto added = std::make_unique<connection>();
  added->client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  {
    std::lock_guard guard{mutex_};
    if (cut_)
      return;
  }
  added->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(added->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(added->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto address = loopback(server_port_);
  if (connect(added->server, reinterpret_cast<sockaddr*>(&address),
              sizeof address) == 0)
    connections_.push_back(std::move(added));
}

bool zookeeper_proxy::pump(connection& on, bool from_client) {
  auto& bytes = from_client ? on.from_client : on.from_server;
  char buffer[65'536];
  auto got =
      recv(from_client ? on.client : on.server, buffer, sizeof buffer, 0);
  if (got <= 0)
    return false;
  bytes.append(buffer, static_cast<std::size_t>(got));
  while (auto packet = take_packet(bytes))
    if (!forward(on, from_client, *packet))
      return false;
  return true;
}

bool zookeeper_proxy::forward(connection& on, bool from_client,
                              const std::string& packet) {
  auto lost = [this] {
    std::lock_guard guard{mutex_};
    armed_ = fault::none;
    cut_ = true;
    wake();
    return false;
  };
  if (std::exchange(on.greeted[from_client], true) && packet.size() >= 12) {
    auto number = number_at(packet, 4);
    if (!from_client && on.doomed == number)
      return lost();
    if (from_client && is_write(number_at(packet, 8))) {
      std::unique_lock guard{mutex_};
      auto now = armed_;
      guard.unlock();
      if (now == fault::request)
        return lost();
      if (now == fault::reply)
        on.doomed = number;
    }
  }
  return send_all(from_client ? on.server : on.client, packet);
}

} // namespace weir::test
