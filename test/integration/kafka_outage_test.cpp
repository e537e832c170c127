// The broker goes away and comes back.
#include "test/integration/kafka_fixture.hpp"

#include <algorithm>
#include <thread>

#include "runtime/base/log.hpp"

using namespace weir;
using namespace weir::test;

namespace {

/// Collects events while it lives.
class log_capture {
public:
  log_capture() {
    set_log_sink(
        [this](log_level, std::string_view event, std::string_view text) {
          std::lock_guard guard{mutex_};
          lines_.push_back(std::string{event} + " " + std::string{text});
          changed_.notify_all();
        });
  }
  ~log_capture() { set_log_sink({}); }

  bool wait_for(const std::string& start) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, 20s, [&] { return count(start) > 0; });
  }
  std::vector<std::string> starting_with(const std::string& start) {
    std::lock_guard guard{mutex_};
    std::vector<std::string> out;
    for (auto& each : lines_)
      if (each.starts_with(start))
        out.push_back(each);
    return out;
  }

private:
  long count(const std::string& start) const {
    return std::count_if(lines_.begin(), lines_.end(),
                         [&](auto& each) { return each.starts_with(start); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

} // namespace

TEST_CASE("reader and producer go on by themselves after an outage") {
  auto& broker = shared_kafka_server();
  log_capture log;
  {
    auto kafka = open_system();
    auto topic = make_topic(*kafka, 1);
    auto producer = need(kafka->open_producer({}));
    auto ref = need(producer->open_topic(topic));
    reading in{*kafka, topic};
    delivery_count delivered;
    need(producer->send(text_record(ref, "k", "before"), &delivered));
    REQUIRE(in.until([&] { return in.records().size() == 1; }));

    broker.stop();
    for (int i = 0; i < 100; ++i)
      need(
          producer->send(text_record(ref, "k", std::to_string(i)), &delivered));
    REQUIRE(log.wait_for("kafka.down"));
    CHECK_FALSE(in.until([&] { return in.records().size() > 1; }, 500ms));
    CHECK_FALSE(in.failure());
    broker.start();

    // Idempotent: each once, in order.
    REQUIRE(in.until([&] { return in.records().size() == 101; }, 20s));
    for (std::size_t i = 0; i < 100; ++i)
      REQUIRE(in.records()[i + 1].value == std::to_string(i));
    need(producer->flush(20s));
    CHECK(delivered.offsets().size() == 101);
    REQUIRE(log.wait_for("kafka.up"));
  }
  auto lines = log.starting_with("kafka.down");
  CHECK(lines.size() == 1);
  CHECK_THAT(lines[0], Catch::Contains(broker.brokers()));
  // No flood: the client repeats itself several times a second.
  CHECK(log.starting_with("kafka.log").size() < 20);
}

TEST_CASE("a transaction survives an outage that is shorter than its time") {
  auto& broker = shared_kafka_server();
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  producer_options options;
  options.transactional_id = fresh_name("id");
  options.transaction_timeout = 60s;
  auto producer = need(kafka->open_producer(options));
  auto ref = need(producer->open_topic(topic));
  need(producer->begin());
  need(producer->send(text_record(ref, "a", "1")));
  need(producer->flush(20s));
  broker.stop();
  result<commit_report> done = fail(ec::closed, "not run");
  std::thread committing{[&] { done = producer->commit(); }};
  broker.start();
  committing.join();
  // Whatever it says is so.
  if (done) {
    CHECK(done->retire_id);
    reading in{*kafka, topic};
    in.to(2);
    CHECK(in.values() == std::vector<std::string>{"1"});
  } else {
    CHECK(done.error().code() == ec::transaction_failed);
  }
}

TEST_CASE("without a broker every call names it and ends") {
  auto& broker = shared_kafka_server();
  auto warm = open_system();
  auto topic = make_topic(*warm, 1);
  broker.stop();
  auto options = broker_options();
  options.request_limit = 1'500ms;
  auto kafka = open_system(options);
  auto check = [&](const error& seen) {
    CHECK((seen.code() == ec::disconnected || seen.code() == ec::timed_out));
    CHECK_THAT(seen.text(), Catch::Contains(broker.brokers()));
  };
  auto started = std::chrono::steady_clock::now();
  check(kafka->describe_topic(topic).error());
  check(kafka->create_topic("x", {1, 1, {}}).error());
  check(kafka->broker_count().error());
  check(kafka->query_watermarks(topic, 0, isolation::read_committed).error());
  check(kafka->group_offsets("g", topic, 1).error());
  check(kafka->open_reader({topic, 0, 0, {}, 0, {}}).error());
  producer_options transactional;
  transactional.transactional_id = "t";
  check(kafka->open_producer(transactional).error());
  check(kafka->fence("t", 1'000ms).error());
  CHECK(std::chrono::steady_clock::now() - started < 20s);
  // A plain producer needs nobody to exist.
  auto producer = need(kafka->open_producer({}));
  check(producer->open_topic(topic).error());
  started = std::chrono::steady_clock::now();
  producer.reset();
  kafka.reset();
  CHECK(std::chrono::steady_clock::now() - started < 5s);
  broker.start();
}

TEST_CASE("an open transaction does not hold up a process that leaves") {
  auto& broker = shared_kafka_server();
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto producer = transactional(*kafka, fresh_name("id"));
  auto ref = need(producer->open_topic(topic));
  need(producer->begin());
  need(producer->send(text_record(ref, "a", "1")));
  need(producer->flush(20s));
  broker.pause();
  for (int i = 0; i < 100; ++i)
    need(producer->send(text_record(ref, "a", "2")));
  auto started = std::chrono::steady_clock::now();
  producer.reset();
  auto took = std::chrono::steady_clock::now() - started;
  broker.resume();
  CHECK(took < 3s);
}
