// Compaction and retention of the embedded log, on a clock that the test moves.
#include "test/conformance/embedded_fixture.hpp"
#include "test/conformance/stream_tools.hpp"
#include "test/servers/log_editor.hpp"

namespace weir::test {

namespace {

using config = std::map<std::string, std::string>;
using offsets = std::vector<std::int64_t>;

struct policy_rig {
  policy_rig() : fixture(options()) {}

  embedded_fixture_options options() {
    embedded_fixture_options x;
    x.world = world;
    x.streams.own_threads = false;
    return x;
  }

  void advance(std::int64_t ms) { world->now += ms; }

  void commit(const std::string& topic, const std::string& key,
              std::optional<std::string> value) {
    auto p = open_transactional(fixture.streams(), fixture.unique("id"));
    outgoing x;
    x.topic = must(p->open_topic(topic));
    x.key = key;
    x.value = value;
    must(p->begin());
    must(p->send(x));
    must(p->commit());
  }

  /// Without a transaction, so without a marker.
  void append(const std::string& topic, const std::string& value,
              std::int64_t timestamp = -1) {
    auto p = open_plain(fixture.streams());
    outgoing x;
    x.topic = must(p->open_topic(topic));
    x.value = value;
    x.timestamp = timestamp;
    must(p->send(x));
    must(p->flush(patience));
  }

  /// Offsets of what is stored; closes and opens the log around it.
  offsets stored(const std::string& topic) {
    fixture.close();
    auto records = must(log_editor{fixture.open_database()}.records(topic, 0));
    must(fixture.open());
    offsets out;
    for (auto& x : records)
      out.push_back(x.offset);
    return out;
  }

  std::shared_ptr<manual_world> world = std::make_shared<manual_world>();
  embedded_fixture fixture;
};

} // namespace

TEST_CASE("embedded log: superseded records and markers are dropped at once") {
  policy_rig rig;
  auto topic = make_topic(rig.fixture, 1, {{"cleanup.policy", "compact"}});
  rig.commit(topic, "a", "1");
  rig.commit(topic, "b", "1");
  CHECK(rig.stored(topic) == offsets{0, 2, 3});
  rig.commit(topic, "a", "2");
  CHECK(rig.stored(topic) == offsets{2, 4, 5});
  CHECK(limits(rig.fixture.streams(), topic).low == 0);
  CHECK(limits(rig.fixture.streams(), topic).high == 6);
}

TEST_CASE(
    "embedded log: the last of a key's records in one transaction stays") {
  policy_rig rig;
  auto topic = make_topic(rig.fixture, 1, {{"cleanup.policy", "compact"}});
  commit_values(rig.fixture, topic, {"a", "b", "a", "a"});
  CHECK(rig.stored(topic) == offsets{1, 3, 4});
  test_reader reader{rig.fixture.streams(), topic, 0, 0};
  CHECK(values(reader.read_to_end()) == std::vector<std::string>{"b", "a"});
}

TEST_CASE("embedded log: superseded records stay for min.compaction.lag.ms") {
  policy_rig rig;
  auto topic = make_topic(
      rig.fixture, 1,
      {{"cleanup.policy", "compact"}, {"min.compaction.lag.ms", "1000"}});
  rig.commit(topic, "a", "1");
  rig.commit(topic, "a", "2");
  CHECK(rig.stored(topic) == offsets{0, 1, 2, 3});
  rig.advance(999);
  rig.commit(topic, "b", "1");
  CHECK(rig.stored(topic) == offsets{0, 1, 2, 3, 4, 5});
  SECTION("and go with a later commit") {
    rig.advance(1001);
    rig.commit(topic, "b", "2");
    CHECK(rig.stored(topic) == offsets{2, 4, 5, 6, 7});
  }
  SECTION("or when the editor compacts a range") {
    rig.fixture.close();
    must(log_editor{rig.fixture.open_database()}.compact(topic, 0, 0, 2));
    must(rig.fixture.open());
    CHECK(rig.stored(topic) == offsets{2, 3, 4, 5});
  }
}

TEST_CASE("embedded log: a tombstone stays for delete.retention.ms") {
  policy_rig rig;
  auto topic = make_topic(
      rig.fixture, 1,
      {{"cleanup.policy", "compact"}, {"delete.retention.ms", "1000"}});
  rig.commit(topic, "a", "1");
  rig.commit(topic, "a", std::nullopt);
  CHECK(rig.stored(topic) == offsets{2, 3});
  rig.advance(999);
  rig.commit(topic, "b", "1");
  CHECK(rig.stored(topic) == offsets{2, 4, 5});
  SECTION("and goes with a later commit") {
    rig.advance(2);
    rig.commit(topic, "c", "1");
    CHECK(rig.stored(topic) == offsets{4, 6, 7});
  }
  SECTION("or when the log is opened") {
    rig.advance(2);
    rig.fixture.reopen();
    CHECK(rig.stored(topic) == offsets{4, 5});
  }
  SECTION("and its key can come back before") {
    rig.commit(topic, "a", "2");
    rig.advance(5000);
    rig.commit(topic, "c", "1");
    CHECK(rig.stored(topic) == offsets{4, 6, 8, 9});
  }
  SECTION("and its key can come back later") {
    rig.advance(5000);
    rig.commit(topic, "c", "1");
    rig.commit(topic, "a", "2");
    CHECK(rig.stored(topic) == offsets{4, 6, 8, 9});
  }
}

TEST_CASE("embedded log: what waits for its removal needs no reopening") {
  policy_rig rig;
  auto topic = make_topic(rig.fixture, 1,
                          {{"cleanup.policy", "compact"},
                           {"min.compaction.lag.ms", "1000"},
                           {"delete.retention.ms", "3000"}});
  rig.commit(topic, "a", "1");
  rig.commit(topic, "a", std::nullopt);
  rig.advance(1001);
  rig.commit(topic, "b", "1");
  SECTION("superseded records") {
    CHECK(rig.stored(topic) == offsets{2, 3, 4, 5});
  }
  SECTION("tombstones") {
    rig.advance(2001);
    rig.commit(topic, "b", "2");
    CHECK(rig.stored(topic) == offsets{4, 5, 6, 7});
  }
}

TEST_CASE("embedded log: a compacted topic needs keys") {
  policy_rig rig;
  auto topic = make_topic(rig.fixture, 1, {{"cleanup.policy", "compact"}});
  auto p = open_plain(rig.fixture.streams());
  outgoing x;
  x.topic = must(p->open_topic(topic));
  x.value = "no key";
  CHECK(error_of(p->send(x)) == ec::rejected);
}

TEST_CASE("embedded log: retention.ms moves the low watermark") {
  policy_rig rig;
  auto topic = make_topic(rig.fixture, 1, {{"retention.ms", "1000"}});
  rig.append(topic, "0");
  rig.append(topic, "1");
  rig.advance(600);
  rig.append(topic, "2");
  rig.advance(600);
  CHECK(limits(rig.fixture.streams(), topic).low == 0);
  {
    test_reader overtaken{rig.fixture.streams(), topic, 0, 0};
    rig.append(topic, "3");
    CHECK(limits(rig.fixture.streams(), topic).low == 2);
    CHECK(overtaken.await_error() == ec::offset_out_of_range);
  }
  CHECK(rig.stored(topic) == offsets{2, 3});
  // Also when everything goes, offsets go on.
  rig.advance(5000);
  rig.fixture.reopen();
  CHECK(limits(rig.fixture.streams(), topic).low == 4);
  CHECK(limits(rig.fixture.streams(), topic).high == 4);
  rig.append(topic, "4");
  CHECK(rig.stored(topic) == offsets{4});
}

TEST_CASE("embedded log: retention goes by a record's own time") {
  policy_rig rig;
  auto topic = make_topic(rig.fixture, 1, {{"retention.ms", "1000"}});
  rig.append(topic, "old", 1'000);
  rig.append(topic, "new");
  CHECK(limits(rig.fixture.streams(), topic).low == 1);
}

TEST_CASE("embedded log: markers go with what is before them") {
  policy_rig rig;
  auto topic = make_topic(rig.fixture, 1, {{"retention.ms", "1000"}});
  rig.commit(topic, "a", "1");
  rig.advance(5000);
  rig.commit(topic, "a", "2");
  CHECK(limits(rig.fixture.streams(), topic).low == 2);
  CHECK(rig.stored(topic) == offsets{2, 3});
}

TEST_CASE("embedded log: retention.bytes keeps the newest") {
  policy_rig rig;
  auto topic = make_topic(rig.fixture, 1, {{"retention.bytes", "10000"}});
  std::string value(1000, 'x');
  for (int i = 0; i < 50; ++i)
    rig.append(topic, value);
  auto found = limits(rig.fixture.streams(), topic);
  CHECK(found.high == 50);
  CHECK(found.low >= 38);
  CHECK(found.low <= 42);
  rig.fixture.reopen();
  CHECK(limits(rig.fixture.streams(), topic).low == found.low);
  test_reader reader{rig.fixture.streams(), topic, 0, found.low};
  CHECK(reader.read_to_end().size() ==
        static_cast<std::size_t>(50 - found.low));
}

TEST_CASE("embedded log: a missed retention is made up for on opening") {
  policy_rig rig;
  auto topic = make_topic(rig.fixture, 1, {{"retention.ms", "1000"}});
  auto p = open_transactional(rig.fixture.streams(), "bulk");
  outgoing x;
  x.topic = must(p->open_topic(topic));
  x.value = "v";
  must(p->begin());
  for (int i = 0; i < 50'000; ++i)
    must(p->send(x));
  must(p->commit());
  p.reset();
  rig.advance(5000);
  rig.fixture.reopen();
  CHECK(limits(rig.fixture.streams(), topic).low == 50'001);
  CHECK(rig.stored(topic).empty());
}

TEST_CASE("embedded log: a topic may be compacted and expire") {
  policy_rig rig;
  auto topic = make_topic(
      rig.fixture, 1,
      {{"cleanup.policy", "compact,delete"}, {"retention.ms", "1000"}});
  rig.commit(topic, "a", "1");
  rig.advance(600);
  rig.commit(topic, "b", "1");
  rig.advance(300);
  rig.commit(topic, "a", "2");
  rig.advance(300);
  rig.commit(topic, "a", "3");
  // The oldest record went by compaction: a gap in front is no retention.
  CHECK(limits(rig.fixture.streams(), topic).low == 0);
  rig.advance(5000);
  rig.commit(topic, "b", "2");
  CHECK(rig.stored(topic) == offsets{8, 9});
  CHECK(limits(rig.fixture.streams(), topic).low == 8);
  // The index forgot the key that expired.
  rig.commit(topic, "a", "4");
  CHECK(rig.stored(topic) == offsets{8, 10, 11});
}

TEST_CASE("embedded log: settings that it cannot keep are refused") {
  policy_rig rig;
  for (auto& x : std::vector<config>{
           {{"retention.ms", "soon"}},
           {{"max.message.bytes", "-1"}},
           {{"message.timestamp.type", "Never"}},
           {{"cleanup.policy", "compact"}, {"retention.bytes", "1000"}}}) {
    topic_settings settings;
    settings.partitions = 1;
    settings.config = x;
    auto created = rig.fixture.streams().create_topic("t", settings);
    REQUIRE(error_of(created) == ec::bad_argument);
    CHECK(created.error().text().find(x.rbegin()->first) != std::string::npos);
  }
  topic_settings settings;
  settings.partitions = 1;
  CHECK(error_of(rig.fixture.streams().create_topic("a/b", settings)) ==
        ec::bad_argument);
}

} // namespace weir::test
