// What a person is told: properties, broker errors, findings of rule L10.
#include "test/integration/kafka_fixture.hpp"

#include "runtime/kafka/cluster_check.hpp"
#include "runtime/kafka/errors.hpp"

using namespace weir;
using namespace weir::test;

namespace {

error refused(const std::string& name, const std::string& value) {
  kafka_options options;
  options.brokers = "127.0.0.1:1";
  options.properties[name] = value;
  auto opened = open_kafka(options);
  REQUIRE_FALSE(opened);
  return opened.error();
}

} // namespace

TEST_CASE("a bad property is named") {
  auto unknown = refused("fetch.wait.maximum", "1");
  CHECK(unknown.code() == ec::bad_argument);
  CHECK_THAT(unknown.text(), Catch::Contains("'fetch.wait.maximum'"));
  auto malformed = refused("socket.timeout.ms", "soon");
  CHECK(malformed.code() == ec::bad_argument);
  CHECK_THAT(malformed.text(), Catch::Contains("'socket.timeout.ms'"));
  for (auto* name :
       {"acks", "enable.idempotence", "transactional.id", "isolation.level",
        "auto.offset.reset", "linger.ms", "queue.buffering.max.ms"}) {
    auto ours = refused(name, "1");
    CHECK(ours.code() == ec::bad_argument);
    CHECK_THAT(ours.text(), Catch::Contains(name));
  }
}

TEST_CASE("a certificate that cannot be read is an error at once") {
  kafka_options options;
  options.brokers = "127.0.0.1:1";
  options.properties = {{"security.protocol", "ssl"},
                        {"ssl.ca.location", "/no/such/file"}};
  auto opened = open_kafka(options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code() == ec::bad_argument);
  CHECK_THAT(opened.error().text(), Catch::Contains("/no/such/file") ||
                                        Catch::Contains("ssl.ca.location"));
}

TEST_CASE("no broker is an error, a wrong one is not yet") {
  CHECK(open_kafka({}).error().code() == ec::bad_argument);
  kafka_options options;
  options.brokers = "127.0.0.1:1";
  auto system = need(open_kafka(options));
  CHECK(system->describe() == "kafka 127.0.0.1:1");
}

TEST_CASE("properties reach producers and readers") {
  auto options = broker_options();
  options.properties = {{"compression.type", "lz4"},
                        {"fetch.wait.max.ms", "20"},
                        {"socket.timeout.ms", "60000"},
                        {"message.timeout.ms", "15000"}};
  auto kafka = open_system(options);
  auto topic = make_topic(*kafka, 1);
  // A socket time-out above that of transactions is lowered, not refused, and
  // so is what the client lingers, which is longer than a record may wait here.
  auto producer = transactional(*kafka, fresh_name("id"));
  auto ref = need(producer->open_topic(topic));
  need(producer->begin());
  need(producer->send(text_record(ref, "k", std::string(100'000, 'x'))));
  need(producer->commit());
  reading in{*kafka, topic};
  REQUIRE(in.to(2).size() == 1);
  CHECK(in.records()[0].value->size() == 100'000);
}

TEST_CASE("a topic that takes small batches gets small batches") {
  auto kafka = open_system();
  auto small = make_topic(*kafka, 1, {{"max.message.bytes", "50000"}});
  auto large = make_topic(*kafka, 1);
  producer_options options;
  options.topics = {large, small, "not-there"};
  auto producer = need(kafka->open_producer(options));
  auto ref = need(producer->open_topic(small));
  // Far more than one batch of it, and all at once.
  for (int i = 0; i < 100; ++i)
    need(producer->send(text_record(ref, "k", std::string(10'000, 'x'))));
  need(producer->flush(20s));
  // A record of its own is as large as each topic takes it.
  auto refused =
      producer->send(text_record(ref, "k", std::string(60'000, 'x')));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ec::too_large);
  for (auto& part : {small, std::string{"60"}, std::string{"50000"}})
    CHECK_THAT(refused.error().text(), Catch::Contains(part));
  need(producer->send(text_record(ref, "k", std::string(49'800, 'x'))));
  auto other = need(producer->open_topic(large));
  need(producer->send(text_record(other, "k", std::string(900'000, 'x'))));
  need(producer->flush(20s));
  CHECK(producer->open_topic("not-there").error().code() == ec::not_found);
}

TEST_CASE("a topic that the producer was not told of is refused if small") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1, {{"max.message.bytes", "50000"}});
  auto producer = need(kafka->open_producer({}));
  auto opened = producer->open_topic(topic);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code() == ec::bad_argument);
  CHECK_THAT(opened.error().text(), Catch::Contains("50000"));
}

TEST_CASE("a limit lowered under a producer fails it, and the next one fits") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  producer_options options;
  options.transactional_id = fresh_name("id");
  options.topics = {topic};
  auto before = need(kafka->open_producer(options));
  auto ref = need(before->open_topic(topic));
  auto fill = [&](producer& with, topic_ref to) -> result<void> {
    need(with.begin());
    for (int i = 0; i < 20; ++i)
      if (auto sent = with.send(text_record(to, "k", std::string(10'000, 'x')));
          !sent)
        return sent;
    if (auto done = with.commit(); !done)
      return fail(done.error());
    return {};
  };
  need(fill(*before, ref));
  set_topic_config(topic, "max.message.bytes", "50000");
  // The broker takes a moment to act on it.
  result<void> last;
  for (int i = 0; last && i < 1'000; ++i)
    last = fill(*before, ref);
  REQUIRE_FALSE(last);
  CHECK(last.error().code() == ec::transaction_failed);
  options.transactional_id = fresh_name("id");
  auto after = need(kafka->open_producer(options));
  need(fill(*after, need(after->open_topic(topic))));
}

TEST_CASE("error codes have a meaning and a text, also unknown ones") {
  using namespace weir::kafka;
  CHECK(code_of(RD_KAFKA_RESP_ERR__FENCED) == ec::fenced);
  CHECK(code_of(RD_KAFKA_RESP_ERR_PRODUCER_FENCED) == ec::fenced);
  CHECK(code_of(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH) == ec::fenced);
  CHECK(code_of(RD_KAFKA_RESP_ERR_INVALID_MSG) == ec::corruption);
  CHECK(code_of(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) == ec::rejected);
  CHECK(code_of(RD_KAFKA_RESP_ERR_NOT_COORDINATOR) == ec::disconnected);
  // A code of a broker that is newer than the library.
  auto unknown = make_error(static_cast<rd_kafka_resp_err_t>(130), "commit");
  CHECK(unknown.code() == ec::rejected);
  CHECK(unknown.text() ==
        std::string{"commit: broker error 130 (unknown to librdkafka "} +
            rd_kafka_version_str() + ")");
  CHECK_THAT(text_of(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE),
             Catch::Contains("MSG_SIZE_TOO_LARGE"));
}

TEST_CASE("rule L10: a safe cluster has no findings, a weak one does") {
  std::vector<cluster_finding> found;
  topic_settings good{4,
                      3,
                      {{"min.insync.replicas", "2"},
                       {"unclean.leader.election.enable", "false"}}};
  weir::kafka::judge_topic("log", good, 3, found);
  weir::kafka::judge_broker(1, {{"inter.broker.protocol.version", "3.9-IV0"}},
                            found);
  weir::kafka::judge_broker(2, {}, found);
  CHECK(found.empty());

  topic_settings weak{4,
                      1,
                      {{"min.insync.replicas", "1"},
                       {"unclean.leader.election.enable", "true"}}};
  weir::kafka::judge_topic("log", weak, 3, found);
  REQUIRE(found.size() == 3);
  for (auto& each : found) {
    CHECK_THAT(each.text, Catch::Contains("'log'"));
    CHECK_FALSE(each.cure.empty());
  }
  found.clear();
  // One broker cannot do better than one copy.
  weir::kafka::judge_topic("log", weak, 1, found);
  CHECK(found.size() == 1);
  found.clear();
  weir::kafka::judge_broker(1, {{"inter.broker.protocol.version", "3.5-IV2"}},
                            found);
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].text, Catch::Contains("3.5-IV2"));
}

TEST_CASE("the check asks the real cluster") {
  auto kafka = open_system();
  auto changelog = make_topic(*kafka, 1);
  transactional(*kafka, fresh_name("id"));
  CHECK(need(kafka->check_cluster({changelog})).empty());
  auto unclean =
      make_topic(*kafka, 1, {{"unclean.leader.election.enable", "true"}});
  auto found = need(kafka->check_cluster({unclean, "not-there"}));
  REQUIRE(found.size() == 2);
  CHECK_THAT(found[0].text, Catch::Contains(unclean));
  CHECK_THAT(found[1].text, Catch::Contains("not-there"));
}
