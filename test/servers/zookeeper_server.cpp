#include "test/servers/zookeeper_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace weir::test {

namespace {

// Its manifest names the other jars; slf4j-simple lets it say what is wrong.
constexpr const char* class_path =
    "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";

// What the server prints last when it starts.
constexpr const char* ready_line = "ContainerManager - Using";

constexpr std::chrono::seconds start_limit{120};

} // namespace

zookeeper_server::zookeeper_server(zookeeper_server_options options)
    : options_(std::move(options)), port_(free_port()) {
  directory_ = options_.directory;
  if (directory_.empty())
    directory_ = own_directory_.emplace().path();
  if (!std::filesystem::exists("/usr/share/java/zookeeper.jar"))
    throw std::runtime_error{
        "there is no /usr/share/java/zookeeper.jar; install Debian's zookeeper "
        "and default-jre-headless"};
  write_configuration();
  start();
}

zookeeper_server::~zookeeper_server() = default;

std::string zookeeper_server::hosts() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void zookeeper_server::write_configuration() const {
  std::filesystem::create_directories(directory_ / "data");
  std::ofstream{directory_ / "zoo.cfg"}
      << "tickTime=" << options_.tick.count() << "\n"
      << "maxSessionTimeout=60000\n"
      << "dataDir=" << (directory_ / "data").string() << "\n"
      << "clientPort=" << port_ << "\n"
      << "clientPortAddress=127.0.0.1\n"
      << "maxClientCnxns=0\n"
      << "admin.enableServer=false\n"
      << "4lw.commands.whitelist=*\n";
}

void zookeeper_server::start() {
  process_ = std::make_unique<child_process>(std::vector<std::string>{
      "java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
      class_path, "org.apache.zookeeper.server.ZooKeeperServerMain",
      (directory_ / "zoo.cfg").string()});
  if (!process_->wait_for_output(ready_line, start_limit) ||
      ask("ruok") != "imok")
    throw std::runtime_error{"ZooKeeper did not start:\n" +
                             process_->last_output()};
}

void zookeeper_server::stop() {
  process_->terminate(std::chrono::seconds{10});
}

void zookeeper_server::kill() {
  process_->kill();
}

void zookeeper_server::pause() {
  process_->pause();
}

void zookeeper_server::resume() {
  process_->send_signal(SIGCONT);
}

std::string zookeeper_server::ask(const std::string& word) const {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return {};
  timeval limit{60, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      send(fd, word.data(), word.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(word.size())) {
    char buffer[4096];
    for (;;) {
      auto got = recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0)
        break;
      answer.append(buffer, static_cast<std::size_t>(got));
    }
  }
  close(fd);
  return answer;
}

zookeeper_server& shared_zookeeper_server() {
  static zookeeper_server server;
  return server;
}

} // namespace weir::test
