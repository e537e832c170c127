// Against the client's own mock broker: what counts is when a handle goes.
#include "runtime/kafka/destroy_guard.hpp"

#include <librdkafka/rdkafka_mock.h>
#include <sched.h>

#include <memory>
#include <random>

#include <catch2/catch.hpp>

#include "runtime/kafka/configuration.hpp"
#include "runtime/kafka/handle.hpp"
#include "runtime/kafka/producer.hpp"
#include "runtime/stream/stream.hpp"

using namespace weir;
using namespace weir::kafka;
using namespace std::chrono_literals;

namespace {

constexpr auto topic = "topic";

class mock_broker {
public:
  mock_broker() {
    char why[512] = {};
    host_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why,
                         sizeof why);
    REQUIRE(host_ != nullptr);
    cluster_ = rd_kafka_mock_cluster_new(host_, 1);
    REQUIRE(cluster_ != nullptr);
    rd_kafka_mock_topic_create(cluster_, topic, 1, 1);
  }
  ~mock_broker() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(host_);
  }
  std::string address() const {
    return rd_kafka_mock_cluster_bootstraps(cluster_);
  }

private:
  rd_kafka_t* host_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

/// With one processor for all, a thread that is woken often goes on before the
/// one that woke it.
class one_processor {
public:
  one_processor() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~one_processor() { sched_setaffinity(0, sizeof before_, &before_); }

private:
  cpu_set_t before_;
};

template <class T>
T need(result<T> x) {
  if (!x)
    FAIL(to_string(x.error()));
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

std::unique_ptr<kafka_producer> open_transactional(const std::string& brokers,
                                                   const std::string& id) {
  configuration with;
  need(with.set("bootstrap.servers", brokers));
  need(with.set("transactional.id", id));
  need(with.set("linger.ms", "1"));
  auto client = need(handle::open(RD_KAFKA_PRODUCER, std::move(with),
                                  std::make_shared<outage>(brokers)));
  producer_options options;
  options.transactional_id = id;
  producer_bounds bounds{1u << 20, 1u << 20, {{topic, 1u << 20}}};
  return need(kafka_producer::open(client, client, options, 10s, bounds, 10s));
}

} // namespace

TEST_CASE("L3: a producer goes at any moment of a transaction's first request",
          "[destroy]") {
  mock_broker broker;
  one_processor slow;
  std::mt19937 random{1};
  for (int round = 0; round < 1'000; ++round) {
    auto producer =
        open_transactional(broker.address(), "id-" + std::to_string(round));
    auto to = need(producer->open_topic(topic));
    need(producer->begin());
    outgoing record;
    record.topic = to;
    record.value = "value";
    need(producer->send(record, nullptr));
    auto until = std::chrono::steady_clock::now() +
                 std::chrono::microseconds{random() % 50};
    while (std::chrono::steady_clock::now() < until)
      ;
    producer.reset();
  }
}
