// A partition without a leader: there, and not to be had for a while. A broker
// cannot be brought into that state for sure, librdkafka's mock of one can.
#include <librdkafka/rdkafka.h>
// Behind the other.
#include <librdkafka/rdkafka_mock.h>

#include "test/integration/kafka_fixture.hpp"

using namespace weir;
using namespace weir::test;

namespace {

/// One broker that knows topic "t" with a single partition.
class mock_broker {
public:
  mock_broker()
      : client_(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0),
                rd_kafka_destroy),
        cluster_(rd_kafka_mock_cluster_new(client_.get(), 1),
                 rd_kafka_mock_cluster_destroy) {
    rd_kafka_mock_topic_create(cluster_.get(), "t", 1, 1);
  }

  void lead(std::int32_t broker) {
    rd_kafka_mock_partition_set_leader(cluster_.get(), "t", 0, broker);
  }
  std::unique_ptr<stream_system> open(std::chrono::milliseconds limit) {
    kafka_options options;
    options.brokers = rd_kafka_mock_cluster_bootstraps(cluster_.get());
    options.request_limit = limit;
    return open_system(options);
  }

private:
  std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> client_;
  std::unique_ptr<rd_kafka_mock_cluster_t,
                  decltype(&rd_kafka_mock_cluster_destroy)>
      cluster_;
};

} // namespace

TEST_CASE("a partition without a leader is waited for, one that is missing "
          "does not exist") {
  mock_broker broker;
  auto streams = broker.open(3s);
  auto whole =
      need(streams->query_watermarks("t", 0, isolation::read_uncommitted));
  CHECK(whole.high == 0);
  // Asked anew: what a client has heard of a leader it believes for a while.
  broker.lead(-1);
  auto waiting = broker.open(3s)->query_watermarks("t", 0,
                                                   isolation::read_uncommitted);
  REQUIRE_FALSE(waiting);
  CHECK((waiting.error().code() == ec::disconnected ||
         waiting.error().code() == ec::timed_out));
  broker.lead(1);
  need(broker.open(10s)->query_watermarks("t", 0, isolation::read_uncommitted));
  auto missing =
      streams->query_watermarks("t", 7, isolation::read_uncommitted);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == ec::not_found);
}
