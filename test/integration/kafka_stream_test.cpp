// Records, positions and transactions on a real broker.
#include "test/integration/kafka_fixture.hpp"

#include <atomic>
#include <thread>

using namespace weir;
using namespace weir::test;

TEST_CASE("what is sent is read: key, value, headers, timestamp") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 2);
  auto producer = need(kafka->open_producer({}));
  auto ref = need(producer->open_topic(topic));
  CHECK(ref.partitions == 2);

  header headers[] = {{"a", "1"}, {"b", ""}, {"a", "2"}};
  auto full = text_record(ref, "key", "value", 1);
  full.headers = headers;
  full.timestamp = 1'234'567'890'123;
  outgoing tombstone = text_record(ref, "gone", "", 1);
  tombstone.value.reset();
  outgoing empty;
  empty.topic = ref;
  empty.partition = 1;
  empty.value = std::string_view{};
  delivery_count delivered;
  need(producer->send(full, &delivered));
  need(producer->send(tombstone, &delivered));
  need(producer->send(empty, &delivered));
  need(producer->flush(20s));
  CHECK(delivered.offsets() == std::vector<std::int64_t>{0, 1, 2});

  reading in{*kafka, topic, 1};
  auto& got = in.to_end();
  REQUIRE(got.size() == 3);
  CHECK(got[0].key == "key");
  CHECK(got[0].value == "value");
  CHECK(got[0].timestamp == 1'234'567'890'123);
  CHECK(got[0].headers == std::vector<std::pair<std::string, std::string>>{
                              {"a", "1"}, {"b", ""}, {"a", "2"}});
  CHECK(got[1].key == "gone");
  CHECK_FALSE(got[1].value);
  CHECK_FALSE(got[2].key);
  CHECK(got[2].value == "");
  // Stamped by the producer: not the epoch.
  CHECK(got[2].timestamp > 1'600'000'000'000);
  CHECK(in.native().position() == 3);

  reading other{*kafka, topic, 0};
  CHECK(other.to_end().empty());
  CHECK(other.native().position() == 0);
}

TEST_CASE(
    "a committed transaction is read as a whole, an open one not at all") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto producer = transactional(*kafka, fresh_name("id"));
  auto ref = need(producer->open_topic(topic));
  need(producer->begin());
  need(producer->send(text_record(ref, "a", "1")));
  need(producer->send(text_record(ref, "b", "2")));
  CHECK_FALSE(need(producer->commit()).retire_id);
  delivery_count delivered;
  need(producer->begin());
  need(producer->send(text_record(ref, "c", "3"), &delivered));
  need(producer->flush(20s));

  // Two records and a marker are committed, one more is open.
  CHECK(delivered.offsets() == std::vector<std::int64_t>{3});
  reading in{*kafka, topic};
  in.to(3);
  CHECK(in.values() == std::vector<std::string>{"1", "2"});
  CHECK(in.native().position() == 3);
  auto committed =
      need(kafka->query_watermarks(topic, 0, isolation::read_committed));
  auto all =
      need(kafka->query_watermarks(topic, 0, isolation::read_uncommitted));
  CHECK(committed.high == 3);
  CHECK(all.high == 4);
  reading dirty{*kafka, topic, 0, 0, isolation::read_uncommitted};
  dirty.to_end();
  CHECK(dirty.values() == std::vector<std::string>{"1", "2", "3"});
  CHECK(dirty.native().position() == 4);

  // The reader at its end learns of the commit by its callback.
  need(producer->commit());
  CHECK(in.until([&] { return in.native().position() == 5; }));
  CHECK(in.values() == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("an abandoned transaction never becomes visible") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto id = fresh_name("id");
  {
    auto producer = transactional(*kafka, id);
    auto ref = need(producer->open_topic(topic));
    need(producer->begin());
    for (int i = 0; i < 1'000; ++i)
      need(producer->send(text_record(ref, "k", "lost")));
    need(producer->flush(20s));
    for (int i = 0; i < 1'000; ++i)
      need(producer->send(text_record(ref, "k", "lost too")));
    auto started = std::chrono::steady_clock::now();
    producer.reset();
    CHECK(std::chrono::steady_clock::now() - started < 3s);
  }
  need(kafka->fence(id, 20s));
  reading in{*kafka, topic};
  CHECK(in.to_end().empty());
  // Past the aborted records and their marker.
  auto all =
      need(kafka->query_watermarks(topic, 0, isolation::read_uncommitted));
  CHECK(in.native().position() == all.high);
  CHECK(all.high >= 1'001);
}

TEST_CASE("two readers of one partition do not disturb each other") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto producer = need(kafka->open_producer({}));
  auto ref = need(producer->open_topic(topic));
  for (int i = 0; i < 10; ++i)
    need(producer->send(text_record(ref, "k", std::to_string(i))));
  need(producer->flush(20s));
  reading first{*kafka, topic};
  auto second = std::make_unique<reading>(*kafka, topic, 0, 5);
  CHECK(first.to_end().size() == 10);
  CHECK(second->to_end().size() == 5);
  second.reset();
  need(producer->send(text_record(ref, "k", "10")));
  CHECK(first.until([&] { return first.records().size() == 11; }));
  // The same partition again, on the handle that had it before.
  reading third{*kafka, topic, 0, 9};
  CHECK(third.to_end().size() == 2);
}

TEST_CASE("readers that come and go lose nothing for those that stay") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 4);
  auto producer = need(kafka->open_producer({}));
  auto ref = need(producer->open_topic(topic));
  reading steady{*kafka, topic};
  constexpr int rounds = 40;
  for (int round = 0; round < rounds; ++round) {
    reading guest{*kafka, topic, 1 + round % 3};
    for (int i = 0; i < 250; ++i)
      need(producer->send(
          text_record(ref, "k", std::to_string(250 * round + i))));
    auto wanted = static_cast<std::size_t>(250 * round + 100);
    REQUIRE(steady.until([&] { return steady.records().size() >= wanted; }));
  }
  REQUIRE(
      steady.until([&] { return steady.records().size() >= 250 * rounds; }));
  for (std::size_t i = 0; i < steady.records().size(); ++i)
    REQUIRE(steady.records()[i].value == std::to_string(i));
}

TEST_CASE("a batch outlives its reader and its system") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto producer = need(kafka->open_producer({}));
  auto ref = need(producer->open_topic(topic));
  need(producer->send(text_record(ref, "key", "value")));
  need(producer->flush(20s));
  producer.reset();
  record_batch batch;
  reader_options options;
  options.topic = topic;
  std::mutex mutex;
  std::condition_variable called;
  int calls = 0;
  options.on_ready = [&] {
    std::lock_guard guard{mutex};
    ++calls;
    called.notify_all();
  };
  auto reader = need(kafka->open_reader(options));
  for (int seen = 0; batch.empty();) {
    need(reader->poll(batch, 10));
    std::unique_lock guard{mutex};
    if (batch.empty())
      REQUIRE(called.wait_for(guard, 20s, [&] { return calls != seen; }));
    seen = calls;
  }
  reader.reset();
  kafka.reset();
  CHECK(batch.records()[0].value() == "value");
  CHECK(batch.records()[0].topic() == topic);
}

TEST_CASE("a position outside of the log is an error, and stays one") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  reading in{*kafka, topic, 0, 17};
  REQUIRE(in.until([&] { return in.failure().has_value(); }));
  CHECK(in.failure()->code() == ec::offset_out_of_range);
  CHECK_THAT(in.failure()->text(),
             Catch::Contains(topic) && Catch::Contains("17"));
  record_batch batch;
  CHECK(in.native().poll(batch, 10).error().code() == ec::offset_out_of_range);
  // The end itself is a position.
  reading at_end{*kafka, topic, 0, 0};
  CHECK(at_end.to_end().empty());
}

TEST_CASE("a deleted topic ends its readers") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  reading in{*kafka, topic};
  in.to_end();
  need(kafka->delete_topic(topic));
  REQUIRE(in.until([&] { return in.failure().has_value(); }, 40s));
  CHECK(in.failure()->code() == ec::not_found);
}

TEST_CASE("topics: create, describe, delete, and what is refused") {
  auto kafka = open_system();
  CHECK(need(kafka->broker_count()) == 1);
  auto topic = make_topic(
      *kafka, 3, {{"cleanup.policy", "compact"}, {"retention.ms", "-1"}});
  auto found = need(kafka->describe_topic(topic));
  REQUIRE(found);
  CHECK(found->partitions == 3);
  CHECK(found->replication == 1);
  CHECK(found->config["cleanup.policy"] == "compact");
  CHECK(found->config["retention.ms"] == "-1");
  topic_settings again;
  again.partitions = 3;
  CHECK(kafka->create_topic(topic, again).error().code() == ec::already_exists);
  again.config.emplace("no.such.setting", "1");
  auto refused = kafka->create_topic(fresh_name("topic"), again);
  CHECK(refused.error().code() == ec::bad_argument);
  CHECK_THAT(refused.error().text(), Catch::Contains("no.such.setting"));
  need(kafka->delete_topic(topic));
  CHECK_FALSE(need(kafka->describe_topic(topic)));
  CHECK(kafka->delete_topic(topic).error().code() == ec::not_found);

  // Nothing creates it on the way.
  CHECK(kafka->open_reader({topic, 0, 0, {}, 0, {}}).error().code() ==
        ec::not_found);
  auto producer = need(kafka->open_producer({}));
  CHECK(producer->open_topic(topic).error().code() == ec::not_found);
  CHECK(kafka->query_watermarks(topic, 0, isolation::read_committed)
            .error()
            .code() == ec::not_found);
  CHECK_FALSE(need(kafka->describe_topic(topic)));
}

TEST_CASE("group offsets are kept for lag tools") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 3);
  auto group = fresh_name("group");
  using offsets = std::vector<std::optional<std::int64_t>>;
  CHECK(need(kafka->group_offsets(group, topic, 3)) ==
        offsets{std::nullopt, std::nullopt, std::nullopt});
  need(kafka->commit_group_offsets(group, topic, {{0, 7}, {2, 0}}));
  CHECK(need(kafka->group_offsets(group, topic, 3)) ==
        offsets{7, std::nullopt, 0});
  need(kafka->delete_group(group));
  need(kafka->delete_group(group));
  CHECK(need(kafka->group_offsets(group, topic, 3)) ==
        offsets{std::nullopt, std::nullopt, std::nullopt});
}

TEST_CASE("flush waits for what was sent before it") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  producer_options options;
  options.linger = 20s;
  auto producer = need(kafka->open_producer(options));
  auto ref = need(producer->open_topic(topic));
  for (int round = 0; round < 5; ++round) {
    delivery_count delivered;
    for (int i = 0; i < 50; ++i)
      need(producer->send(text_record(ref, "k", "v"), &delivered));
    auto started = std::chrono::steady_clock::now();
    need(producer->flush(20s));
    CHECK(delivered.offsets().size() == 50);
    // It does not linger.
    CHECK(std::chrono::steady_clock::now() - started < 10s);
  }
}

TEST_CASE("flush does not wait for what is sent meanwhile") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto producer = need(kafka->open_producer({}));
  auto ref = need(producer->open_topic(topic));
  std::atomic<bool> stop{false};
  // Never leaves the queue empty.
  std::thread sending{[&] {
    while (!stop) {
      auto sent = producer->send(text_record(ref, "other", "x"));
      if (!sent)
        std::this_thread::yield();
    }
  }};
  for (int round = 0; round < 5; ++round) {
    delivery_count delivered;
    for (int i = 0; i < 10; ++i)
      while (!producer->send(text_record(ref, "k", "v"), &delivered))
        std::this_thread::yield();
    auto flushed = producer->flush(20s);
    CHECK(flushed);
    CHECK(delivered.offsets().size() == 10);
  }
  stop = true;
  sending.join();
}

TEST_CASE("a full queue and a large record are refused and cost nothing") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  producer_options options;
  options.queue_bytes = 256 << 10;
  // Outlives the producer: nobody waits for the last record.
  delivery_count delivered;
  auto producer = need(kafka->open_producer(options));
  auto ref = need(producer->open_topic(topic));
  std::string megabytes(2 << 20, 'x');
  CHECK(producer->send(text_record(ref, "k", megabytes)).error().code() ==
        ec::too_large);
  // What never fits into the queue is not told to wait for room in it.
  CHECK(producer->send(text_record(ref, "k", std::string(300 << 10, 'x')))
            .error()
            .code() == ec::too_large);
  // The largest that the topic takes (max.message.bytes is 1,048,588).
  std::string limit(1'000'000, 'x');
  auto big = need(kafka->open_producer({}));
  auto big_ref = need(big->open_topic(topic));
  need(big->send(text_record(big_ref, "k", limit)));
  need(big->flush(20s));

  shared_kafka_server().pause();
  std::string record(10'000, 'x');
  std::size_t taken = 0;
  result<void> sent;
  while ((sent = producer->send(text_record(ref, "k", record), &delivered)))
    ++taken;
  shared_kafka_server().resume();
  CHECK(sent.error().code() == ec::queue_full);
  CHECK(taken >= 20);
  CHECK(taken <= 30);
  need(producer->flush(20s));
  CHECK(delivered.offsets().size() == taken);
  need(producer->send(text_record(ref, "k", record), &delivered));
}
