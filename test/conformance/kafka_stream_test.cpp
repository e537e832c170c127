// The stream suite against a real broker.
#include <librdkafka/rdkafka.h>

#include <stdexcept>

#include "runtime/kafka/kafka.hpp"
#include "runtime/kafka/requests.hpp"
#include "test/conformance/stream_suite.hpp"
#include "test/servers/kafka_server.hpp"

namespace weir::test {

namespace {

template <class T>
T opened(result<T> x) {
  if (!x)
    throw std::runtime_error{to_string(x.error())};
  return std::move(*x);
}

/// Asks the broker to delete records, which weir itself never does yet.
void delete_records(const std::string& brokers, const std::string& topic,
                    std::int32_t partition, std::int64_t below) {
  using namespace kafka;
  kafka_options options;
  options.brokers = brokers;
  auto conf =
      opened(consumer_configuration(options, {isolation::read_uncommitted}));
  auto client = opened(handle::open(RD_KAFKA_CONSUMER, std::move(conf),
                                    std::make_shared<outage>(brokers)));
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  opened(ask_admin(*client, RD_KAFKA_ADMIN_OP_DELETERECORDS, "delete records",
                   until, [&](auto* with, auto* how, auto* queue) {
                     auto* list = rd_kafka_topic_partition_list_new(1);
                     rd_kafka_topic_partition_list_add(list, topic.c_str(),
                                                       partition)
                         ->offset = below;
                     auto* wanted = rd_kafka_DeleteRecords_new(list);
                     rd_kafka_DeleteRecords(with, &wanted, 1, how, queue);
                     rd_kafka_DeleteRecords_destroy(wanted);
                     rd_kafka_topic_partition_list_destroy(list);
                   }));
}

class kafka_fixture final : public stream_fixture {
public:
  kafka_fixture() { reopen(); }

  stream_system& streams() override { return *streams_; }

  void reopen() override {
    kafka_options options;
    options.brokers = shared_kafka_server().brokers();
    streams_.reset();
    streams_ = opened(open_kafka(options));
  }

  void drop_head(const std::string& topic, std::int32_t partition,
                 std::int64_t low) override {
    delete_records(shared_kafka_server().brokers(), topic, partition, low);
  }

private:
  std::unique_ptr<stream_system> streams_;
};

} // namespace

std::unique_ptr<stream_fixture> make_stream_fixture() {
  return std::make_unique<kafka_fixture>();
}

} // namespace weir::test
