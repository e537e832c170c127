#include "test/servers/kafka_server.hpp"

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace weir::test {

namespace {

using namespace std::chrono_literals;

/// Any 16 bytes: "weirtestbroker01".
constexpr auto cluster_id = "d2VpcnRlc3Ricm9rZXIwMQ";
/// A JVM on a machine that compiles at the same time takes its time.
constexpr auto start_limit = 120s;

/// Runs fetch-kafka, which prints the directory of the jars.
std::string fetch_jars() {
  auto* out = popen(WEIR_FETCH_KAFKA, "r");
  if (out == nullptr)
    throw std::runtime_error{"cannot run " WEIR_FETCH_KAFKA};
  std::string text;
  char buffer[512];
  while (auto got = std::fread(buffer, 1, sizeof buffer, out))
    text.append(buffer, got);
  if (pclose(out) != 0)
    throw std::runtime_error{"no Kafka broker: " WEIR_FETCH_KAFKA
                             " failed, see its words above"};
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

/// One node that is broker and controller, with as few partitions of internal
/// topics, and as little waiting, as it allows.
std::map<std::string, std::string> default_properties(int port,
                                                      int controller_port) {
  auto broker = "127.0.0.1:" + std::to_string(port);
  auto controller = "127.0.0.1:" + std::to_string(controller_port);
  return {
      {"process.roles", "broker,controller"},
      {"node.id", "1"},
      {"controller.quorum.voters", "1@" + controller},
      {"controller.listener.names", "CONTROLLER"},
      {"listeners", "PLAINTEXT://" + broker + ",CONTROLLER://" + controller},
      {"advertised.listeners", "PLAINTEXT://" + broker},
      {"auto.create.topics.enable", "false"},
      {"controlled.shutdown.enable", "false"},
      {"group.initial.rebalance.delay.ms", "0"},
      {"offsets.topic.num.partitions", "4"},
      {"offsets.topic.replication.factor", "1"},
      {"transaction.state.log.num.partitions", "4"},
      {"transaction.state.log.replication.factor", "1"},
      {"transaction.state.log.min.isr", "1"},
      {"transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000"},
      // Tests compact topics with tiny segments and wait for it.
      {"log.cleaner.backoff.ms", "100"},
      {"log.cleaner.dedupe.buffer.size", "4194304"},
      {"log.retention.check.interval.ms", "1000"},
  };
}

} // namespace

kafka_server::kafka_server(kafka_server_options options)
    : options_{std::move(options)}, jars_{fetch_jars()}, port_{free_port()},
      controller_port_{free_port()} {
  directory_ = options_.directory;
  if (directory_.empty())
    directory_ = own_directory_.emplace().path();
  format();
  start();
}

kafka_server::~kafka_server() = default;

std::string kafka_server::brokers() const {
  return "127.0.0.1:" + std::to_string(port_);
}

std::vector<std::string>
kafka_server::java(const std::string& main_class) const {
  std::vector<std::string> command{"java"};
  command.insert(command.end(), options_.java_options.begin(),
                 options_.java_options.end());
  // The line that says "started" is awaited; the rest only if it is bad.
  const std::string log = "-Dorg.slf4j.simpleLogger.";
  command.insert(command.end(), {log + "defaultLogLevel=warn",
                                 log + "log.kafka.server.KafkaRaftServer=info",
                                 "-cp", jars_ + "/*", main_class});
  return command;
}

void kafka_server::format() {
  std::filesystem::create_directories(directory_);
  auto data = directory_ / "data";
  auto properties = default_properties(port_, controller_port_);
  properties["log.dirs"] = data;
  for (auto& [name, value] : options_.properties)
    properties[name] = value;
  std::ofstream file{directory_ / "server.properties"};
  for (auto& [name, value] : properties)
    file << name << '=' << value << '\n';
  file.close();
  if (std::filesystem::exists(data / "meta.properties"))
    return;
  auto command = java("kafka.tools.StorageTool");
  command.insert(command.end(), {"format", "--cluster-id", cluster_id,
                                 "--config", directory_ / "server.properties"});
  child_process tool{std::move(command)};
  if (!tool.wait_for_exit(start_limit) || tool.wait_status() != 0)
    throw std::runtime_error{"kafka.tools.StorageTool failed:\n" +
                             tool.last_output()};
}

void kafka_server::start() {
  if (running())
    return;
  auto command = java("kafka.Kafka");
  command.push_back(directory_ / "server.properties");
  process_ = std::make_unique<child_process>(std::move(command));
  if (process_->wait_for_output("Kafka Server started", start_limit))
    return;
  auto words = process_->last_output();
  process_.reset();
  throw std::runtime_error{"the Kafka broker at " + brokers() +
                           " did not start:\n" + words};
}

void kafka_server::stop() {
  if (!process_)
    return;
  process_->terminate(30s);
  process_.reset();
}

void kafka_server::kill() {
  process_.reset();
}

void kafka_server::pause() {
  if (process_)
    process_->pause();
}

void kafka_server::resume() {
  if (process_)
    process_->send_signal(SIGCONT);
}

bool kafka_server::running() const {
  return process_ && process_->running();
}

kafka_server& shared_kafka_server() {
  static kafka_server server;
  return server;
}

} // namespace weir::test
