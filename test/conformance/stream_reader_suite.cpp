// Readers: positions, ends, callbacks and batches.
#include <thread>

#include "test/conformance/stream_tools.hpp"

namespace weir::test {

namespace {

using strings = std::vector<std::string>;

strings numbers(int count) {
  strings out;
  for (int i = 0; i < count; ++i)
    out.push_back(std::to_string(i));
  return out;
}

/// Writes the numbers below `count` into partition 0, at these offsets.
std::string filled_topic(stream_fixture& fixture, int count) {
  auto topic = make_topic(fixture, 1);
  auto producer = open_plain(fixture.streams());
  auto ref = must(producer->open_topic(topic));
  for (auto& x : numbers(count))
    send(*producer, ref, 0, "k", x);
  must(producer->flush(patience));
  return topic;
}

} // namespace

TEST_CASE("stream: a reader starts where it is told", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = filled_topic(*fixture, 100);
  test_reader middle{fixture->streams(), topic, 0, 60};
  auto records = middle.read_to_end();
  REQUIRE(records.size() == 40);
  CHECK(records[0].offset == 60);
  CHECK(*records[0].value == "60");
  CHECK(middle.position() == 100);
}

TEST_CASE("stream: a reader at the end is woken by new records", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = filled_topic(*fixture, 10);
  test_reader reader{streams, topic, 0, 10};
  CHECK(reader.read_to_end().empty());
  CHECK(reader.at_end());
  CHECK(reader.position() == 10);
  commit_values(*fixture, topic, {"x", "y"});
  auto records = reader.read(2);
  CHECK(values(records) == strings{"x", "y"});
  CHECK(records[0].offset == 10);
  CHECK_FALSE(reader.at_end());
  CHECK(reader.read_to_end().empty());
  CHECK(reader.at_end());
  CHECK(reader.position() == 13);
}

TEST_CASE("stream: a reader opened before any record is woken", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 2);
  test_reader reader{streams, topic, 1, 0};
  CHECK(reader.read_to_end().empty());
  CHECK(reader.position() == 0);
  std::thread writer{[&] {
    auto producer = open_plain(streams);
    auto ref = must(producer->open_topic(topic));
    for (int i = 0; i < 50; ++i) {
      send(*producer, ref, 1, "k", std::to_string(i));
      must(producer->flush(patience));
    }
  }};
  auto records = reader.read(50);
  writer.join();
  CHECK(values(records) == numbers(50));
}

TEST_CASE("stream: a poll is bounded and a batch is reused", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = filled_topic(*fixture, 1000);
  auto ready = std::make_shared<signal_counter>();
  reader_options options;
  options.topic = topic;
  options.on_ready = [ready] { ready->raise(); };
  record_batch batch;
  {
    auto reader = must(fixture->streams().open_reader(options));
    int next = 0;
    while (next < 1000) {
      auto calls = ready->count();
      must(reader->poll(batch, 7));
      REQUIRE(batch.size() <= 7);
      for (auto& x : batch.records()) {
        REQUIRE(*x.value() == std::to_string(next));
        REQUIRE(x.offset() == next);
        REQUIRE(x.topic() == topic);
        REQUIRE(x.partition() == 0);
        ++next;
      }
      if (!batch.empty()) {
        REQUIRE(reader->position() == next);
        // It may be known with the last record, or only behind it.
        REQUIRE((next == 1000 || !reader->at_end()));
      } else {
        REQUIRE(ready->await_more_than(calls));
      }
    }
    REQUIRE(batch.size() > 0);
  }
  // The batch may outlive its reader.
  CHECK(*batch.records().back().value() == "999");
  CHECK(batch.records().back().topic() == topic);
  batch.clear();
  CHECK(batch.empty());
}

TEST_CASE("stream: an offset above the end is out of range", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = filled_topic(*fixture, 10);
  test_reader reader{fixture->streams(), topic, 0, 11};
  CHECK(reader.await_error() == ec::offset_out_of_range);
  CHECK(reader.position() == 11);
}

TEST_CASE("stream: an offset below the low watermark is out of range",
          "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = filled_topic(*fixture, 10);
  fixture->drop_head(topic, 0, 4);
  CHECK(limits(fixture->streams(), topic).low == 4);
  CHECK(limits(fixture->streams(), topic).high == 10);
  test_reader below{fixture->streams(), topic, 0, 3};
  CHECK(below.await_error() == ec::offset_out_of_range);
  test_reader at{fixture->streams(), topic, 0, 4};
  auto records = at.read_to_end();
  REQUIRE(records.size() == 6);
  CHECK(records[0].offset == 4);
}

TEST_CASE("stream: offsets go on after the head was deleted", "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = filled_topic(*fixture, 10);
  fixture->drop_head(topic, 0, 10);
  CHECK(limits(fixture->streams(), topic).low == 10);
  CHECK(limits(fixture->streams(), topic).high == 10);
  test_reader reader{fixture->streams(), topic, 0, 10};
  CHECK(reader.read_to_end().empty());
  CHECK(commit_values(*fixture, topic, {"next"}) ==
        std::vector<std::int64_t>{10});
  CHECK(values(reader.read(1)) == strings{"next"});
}

TEST_CASE("stream: a destroyed reader is not called", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  auto calls = std::make_shared<signal_counter>();
  reader_options options;
  options.topic = topic;
  options.on_ready = [calls] { calls->raise(); };
  auto reader = must(streams.open_reader(options));
  record_batch batch;
  must(reader->poll(batch, 10));
  reader.reset();
  auto before = calls->count();
  test_reader witness{streams, topic, 0, 0};
  commit_values(*fixture, topic, {"x"});
  CHECK(values(witness.read(1)) == strings{"x"});
  CHECK(calls->count() == before);
}

TEST_CASE("stream: readers come and go while records arrive", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  constexpr int count = 200;
  std::thread writer{[&] {
    auto producer = open_plain(streams);
    auto ref = must(producer->open_topic(topic));
    for (int i = 0; i < count; ++i) {
      send(*producer, ref, 0, "k", std::to_string(i));
      if (i % 10 == 9)
        must(producer->flush(patience));
    }
  }};
  strings all;
  while (all.size() < count) {
    test_reader reader{streams, topic, 0,
                       static_cast<std::int64_t>(all.size())};
    for (auto& x : values(reader.read(20)))
      all.push_back(x);
  }
  writer.join();
  CHECK(all == numbers(count));
}

TEST_CASE("stream: a compacted topic keeps the last record of each key",
          "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1, {{"cleanup.policy", "compact"}});
  for (int round = 0; round < 3; ++round)
    commit_values(*fixture, topic, {"a", "b", "c"});
  test_reader reader{streams, topic, 0, 0};
  std::map<std::string, seen_record> last;
  std::int64_t before = -1;
  for (auto& x : reader.read_to_end()) {
    REQUIRE(x.offset > before);
    before = x.offset;
    last[*x.key] = x;
  }
  CHECK(last.size() == 3);
  CHECK(last["ka"].offset == 8);
  CHECK(last["kc"].offset == 10);
  CHECK(reader.position() == 12);
}

} // namespace weir::test
