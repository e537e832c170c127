// Plain idempotent producers.
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "test/conformance/stream_tools.hpp"

namespace weir::test {

namespace {

using namespace std::chrono_literals;

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch())
      .count();
}

} // namespace

TEST_CASE("stream: records keep their order in each partition", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = make_topic(*fixture, 3);
  auto producer = open_plain(fixture->streams());
  auto ref = must(producer->open_topic(topic));
  CHECK(ref.partitions == 3);
  delivery_ledger ledger;
  constexpr int count = 3000;
  for (int i = 0; i < count; ++i) {
    send(*producer, ref, i % 3, "key", std::to_string(i), ledger.next());
    // Several batches under way, which is where order could be lost.
    if (i % 500 == 499)
      must(producer->flush(patience));
  }
  must(producer->flush(patience));
  REQUIRE(ledger.await_all());
  auto entries = ledger.entries();
  for (int i = 0; i < count; ++i) {
    REQUIRE(entries[i].calls == 1);
    REQUIRE_FALSE(entries[i].failure.has_value());
    REQUIRE(entries[i].offset == i / 3);
  }
  for (int partition = 0; partition < 3; ++partition) {
    test_reader reader{fixture->streams(), topic, partition, 0};
    auto records = reader.read_to_end();
    REQUIRE(records.size() == count / 3);
    for (int i = 0; i < count / 3; ++i) {
      REQUIRE(records[i].offset == i);
      REQUIRE(*records[i].value == std::to_string(3 * i + partition));
    }
  }
}

TEST_CASE("stream: keys, values and headers arrive as they were", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = make_topic(*fixture, 1);
  auto producer = open_plain(fixture->streams());
  auto ref = must(producer->open_topic(topic));
  std::string binary("\0\xff\x80 bytes", 9);
  std::string large(100'000, 'x');
  header headers[] = {{"first", "1"}, {"empty", ""}, {"first", binary}};
  auto send_one = [&](std::optional<std::string_view> key,
                      std::optional<std::string_view> value,
                      std::span<const header> with) {
    outgoing x;
    x.topic = ref;
    x.key = key;
    x.value = value;
    x.headers = with;
    must(producer->send(x));
  };
  send_one("key", "value", {});
  send_one(std::nullopt, "no key", {});
  send_one("tombstone", std::nullopt, {});
  send_one("", "", {});
  send_one(binary, large, headers);
  must(producer->flush(patience));

  test_reader reader{fixture->streams(), topic, 0, 0};
  auto records = reader.read(5);
  CHECK(records[0].key == "key");
  CHECK(records[0].value == "value");
  CHECK(records[0].headers.empty());
  CHECK_FALSE(records[1].key.has_value());
  CHECK(records[1].value == "no key");
  CHECK(records[2].key == "tombstone");
  CHECK_FALSE(records[2].value.has_value());
  CHECK(records[3].key == "");
  CHECK(records[3].value == "");
  CHECK(records[4].key == binary);
  CHECK(records[4].value == large);
  std::vector<std::pair<std::string, std::string>> expected{
      {"first", "1"}, {"empty", ""}, {"first", binary}};
  CHECK(records[4].headers == expected);
}

TEST_CASE("stream: a record has its creator's time or that of the append",
          "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto created = make_topic(*fixture, 1);
  auto appended =
      make_topic(*fixture, 1, {{"message.timestamp.type", "LogAppendTime"}});
  auto before = now_ms();
  auto producer = open_plain(streams);
  for (auto& topic : {created, appended}) {
    outgoing x;
    x.topic = must(producer->open_topic(topic));
    x.value = "old";
    // 2013-03-01.
    x.timestamp = 1'362'096'000'000;
    must(producer->send(x));
    x.value = "now";
    x.timestamp = -1;
    must(producer->send(x));
  }
  must(producer->flush(patience));
  auto after = now_ms();

  auto in_time = [&](std::int64_t x) {
    return x >= before - 1 && x <= after + 1;
  };
  test_reader first{streams, created, 0, 0};
  auto records = first.read(2);
  CHECK(records[0].timestamp == 1'362'096'000'000);
  CHECK(in_time(records[1].timestamp));
  test_reader second{streams, appended, 0, 0};
  records = second.read(2);
  CHECK(in_time(records[0].timestamp));
  CHECK(in_time(records[1].timestamp));
}

TEST_CASE("stream: a full queue refuses and recovers", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = make_topic(*fixture, 1);
  producer_options options;
  options.queue_bytes = 64 << 10;
  // Nothing leaves by itself before the queue is full.
  options.linger = 2s;
  auto producer = must(fixture->streams().open_producer(options));
  auto ref = must(producer->open_topic(topic));
  std::string value(1000, 'v');
  outgoing x;
  x.topic = ref;
  x.value = value;
  std::size_t accepted = 0;
  result<void> sent;
  while ((sent = producer->send(x)) && accepted < 1000)
    ++accepted;
  REQUIRE(error_of(sent) == ec::queue_full);
  CHECK(accepted >= 30);

  must(producer->flush(patience));
  x.value = "after";
  must(producer->send(x));
  must(producer->flush(patience));
  test_reader reader{fixture->streams(), topic, 0, 0};
  auto records = reader.read_to_end();
  REQUIRE(records.size() == accepted + 1);
  CHECK(*records.back().value == "after");
}

TEST_CASE("stream: a flush leaves room for the next record", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = make_topic(*fixture, 1);
  producer_options options;
  options.queue_bytes = 256 << 10;
  auto producer = must(fixture->streams().open_producer(options));
  outgoing x;
  x.topic = must(producer->open_topic(topic));
  std::string value(1000, 'v');
  x.value = value;
  for (int round = 0; round < 300; ++round) {
    result<void> sent;
    while ((sent = producer->send(x)))
      ;
    REQUIRE(error_of(sent) == ec::queue_full);
    must(producer->flush(patience));
    must(producer->send(x));
  }
}

TEST_CASE("stream: what is hastened does not wait for company", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = make_topic(*fixture, 2);
  producer_options options;
  // Longer than the test waits for an acknowledgement.
  options.linger = 4min;
  options.hastened_linger = 5ms;
  auto producer = must(fixture->streams().open_producer(options));
  auto ref = must(producer->open_topic(topic));
  // The second time it comes soon after the first.
  for (int round = 0; round < 3; ++round) {
    delivery_ledger ledger;
    send(*producer, ref, 0, "k", "v", ledger.next());
    send(*producer, ref, 1, "k", "v", ledger.next());
    producer->hasten();
    REQUIRE(ledger.await_all());
    for (auto& each : ledger.entries())
      CHECK_FALSE(each.failure);
  }
}

TEST_CASE("stream: a record above the topic's limit is too large", "[stream]") {
  auto fixture = make_stream_fixture();
  // Not below a Kafka producer's batch, which cannot be split.
  auto topic = make_topic(*fixture, 1, {{"max.message.bytes", "1100000"}});
  auto producer = open_plain(fixture->streams());
  auto ref = must(producer->open_topic(topic));
  outgoing x;
  x.topic = ref;
  std::string large(2'000'000, 'x');
  x.value = large;
  delivery_ledger ledger;
  // Refused at once, or by the broker.
  auto sent = producer->send(x, ledger.next());
  if (sent) {
    REQUIRE(ledger.await_all());
    REQUIRE(ledger.entries()[0].failure.has_value());
    CHECK(ledger.entries()[0].failure->code() == ec::too_large);
    CHECK(error_of(producer->flush(patience)) == ec::too_large);
  } else {
    CHECK(sent.error().code() == ec::too_large);
  }
  send(*producer, ref, 0, "small", "fits");
  must(producer->flush(patience));
  test_reader reader{fixture->streams(), topic, 0, 0};
  CHECK(values(reader.read_to_end()) == std::vector<std::string>{"fits"});
}

TEST_CASE("stream: records become visible without a flush", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = make_topic(*fixture, 1);
  test_reader reader{fixture->streams(), topic, 0, 0};
  auto producer = open_plain(fixture->streams());
  auto ref = must(producer->open_topic(topic));
  delivery_ledger ledger;
  send(*producer, ref, 0, "a", "1", ledger.next());
  CHECK(values(reader.read(1)) == std::vector<std::string>{"1"});
  CHECK(ledger.await_all());
  CHECK(ledger.offsets() == std::vector<std::int64_t>{0});
}

TEST_CASE("stream: a flush without records answers at once", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = make_topic(*fixture, 1);
  auto producer = open_plain(fixture->streams());
  must(producer->flush(patience));
  auto ref = must(producer->open_topic(topic));
  send(*producer, ref, 0, "a", "1");
  must(producer->flush(patience));
  must(producer->flush(patience));
  CHECK(limits(fixture->streams(), topic).high == 1);
}

TEST_CASE("stream: many threads send through one producer", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = make_topic(*fixture, 2);
  auto producer = open_plain(fixture->streams());
  auto ref = must(producer->open_topic(topic));
  constexpr int threads = 4;
  constexpr int each = 1000;
  delivery_ledger ledgers[threads];
  std::vector<std::thread> senders;
  std::atomic<int> failures{0};
  for (int t = 0; t < threads; ++t)
    senders.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        auto key = std::to_string(t);
        auto value = std::to_string(i);
        outgoing x;
        x.topic = ref;
        x.partition = i % 2;
        x.key = key;
        x.value = value;
        if (!producer->send(x, ledgers[t].next()))
          ++failures;
      }
    });
  for (auto& x : senders)
    x.join();
  REQUIRE(failures == 0);
  must(producer->flush(patience));

  std::set<std::pair<int, std::int64_t>> places;
  for (auto& ledger : ledgers) {
    REQUIRE(ledger.await_all());
    auto offsets = ledger.offsets();
    for (int i = 0; i < each; ++i)
      places.emplace(i % 2, offsets[i]);
  }
  CHECK(places.size() == threads * each);
  CHECK(places.rbegin()->second == threads * each / 2 - 1);
  for (int partition = 0; partition < 2; ++partition) {
    test_reader reader{fixture->streams(), topic, partition, 0};
    auto records = reader.read_to_end();
    REQUIRE(records.size() == threads * each / 2);
    // Each thread's records are in its order.
    std::map<std::string, int> last;
    for (auto& x : records) {
      auto number = std::stoi(*x.value);
      auto before = last.emplace(*x.key, -1).first;
      REQUIRE(number > before->second);
      before->second = number;
    }
    CHECK(last.size() == threads);
  }
}

TEST_CASE("stream: a plain producer has no transactions", "[stream]") {
  auto fixture = make_stream_fixture();
  auto producer = open_plain(fixture->streams());
  CHECK_FALSE(producer->begin().has_value());
  CHECK_FALSE(producer->commit().has_value());
}

} // namespace weir::test
