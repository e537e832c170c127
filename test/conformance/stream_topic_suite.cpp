// Topics and group offsets.
#include "test/conformance/stream_tools.hpp"

namespace weir::test {

namespace {

using offsets = std::vector<std::optional<std::int64_t>>;

} // namespace

TEST_CASE("stream: a topic is created, described and deleted", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto name = fixture->unique("topic");
  CHECK_FALSE(must(streams.describe_topic(name)).has_value());
  CHECK(error_of(streams.delete_topic(name)) == ec::not_found);

  topic_settings wanted;
  wanted.partitions = 3;
  wanted.config = {{"cleanup.policy", "compact"},
                   {"message.timestamp.type", "LogAppendTime"},
                   {"delete.retention.ms", "604800000"}};
  must(streams.create_topic(name, wanted));
  auto found = must(streams.describe_topic(name));
  REQUIRE(found.has_value());
  CHECK(found->partitions == 3);
  CHECK(found->replication == 1);
  for (auto& [key, value] : wanted.config)
    CHECK(found->config[key] == value);
  // Also what was not said is told, so that it can be checked.
  CHECK(found->config.count("max.message.bytes") == 1);
  CHECK(found->config.count("retention.ms") == 1);

  CHECK(error_of(streams.create_topic(name, wanted)) == ec::already_exists);
  must(streams.delete_topic(name));
  CHECK_FALSE(must(streams.describe_topic(name)).has_value());
}

TEST_CASE("stream: what is missing is said to be missing", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto name = fixture->unique("missing");
  auto producer = open_plain(streams);
  CHECK(error_of(producer->open_topic(name)) == ec::not_found);
  CHECK(error_of(streams.query_watermarks(
            name, 0, isolation::read_committed)) == ec::not_found);
  // Asking created nothing.
  CHECK_FALSE(must(streams.describe_topic(name)).has_value());
}

TEST_CASE("stream: wrong topic settings are refused", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  topic_settings none;
  none.partitions = 0;
  CHECK_FALSE(streams.create_topic(fixture->unique("none"), none).has_value());
  topic_settings odd;
  odd.partitions = 1;
  odd.config = {{"cleanup.policy", "shred"}};
  auto name = fixture->unique("odd");
  CHECK_FALSE(streams.create_topic(name, odd).has_value());
  CHECK_FALSE(must(streams.describe_topic(name)).has_value());
}

TEST_CASE("stream: records below an offset are deleted for good", "[stream]") {
  auto fixture = make_stream_fixture();
  auto name = make_topic(*fixture, 2);
  commit_values(*fixture, name, {"a", "b", "c", "d"});
  auto high =
      limits(fixture->streams(), name, 0, isolation::read_uncommitted).high;
  must(fixture->streams().delete_records(name, {{0, 2}, {1, 0}}));
  CHECK(limits(fixture->streams(), name).low == 2);
  // Deleted already: nothing changes.
  must(fixture->streams().delete_records(name, {{0, 1}}));
  CHECK(limits(fixture->streams(), name).low == 2);
  CHECK(error_of(fixture->streams().delete_records(name, {{0, high + 10}})) ==
        ec::offset_out_of_range);
  CHECK(limits(fixture->streams(), name).low == 2);
  {
    test_reader reader{fixture->streams(), name, 0, 2};
    CHECK(values(reader.read_to_end()) == std::vector<std::string>{"c", "d"});
    test_reader early{fixture->streams(), name, 0, 0};
    CHECK(early.await_error() == ec::offset_out_of_range);
  }
  fixture->reopen();
  CHECK(limits(fixture->streams(), name).low == 2);
  must(fixture->streams().delete_records(name, {{0, high}}));
  CHECK(limits(fixture->streams(), name).low == high);
  commit_values(*fixture, name, {"e"});
  test_reader reader{fixture->streams(), name, 0, high};
  CHECK(values(reader.read_to_end()) == std::vector<std::string>{"e"});
  CHECK(error_of(fixture->streams().delete_records(fixture->unique("missing"),
                                                   {{0, 1}})) == ec::not_found);
}

TEST_CASE("stream: a recreated topic starts empty", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto name = make_topic(*fixture, 1);
  commit_values(*fixture, name, {"old"});
  CHECK(limits(streams, name).high > 0);
  must(streams.delete_topic(name));
  topic_settings settings;
  settings.partitions = 2;
  must(streams.create_topic(name, settings));
  CHECK(must(streams.describe_topic(name))->partitions == 2);
  CHECK(limits(streams, name).high == 0);
  commit_values(*fixture, name, {"new"});
  test_reader reader{streams, name, 0, 0};
  CHECK(values(reader.read_to_end()) == std::vector<std::string>{"new"});
}

TEST_CASE("stream: group offsets are kept by group, topic and partition",
          "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto group = fixture->unique("group");
  auto other = fixture->unique("group");
  auto a = make_topic(*fixture, 3);
  auto b = make_topic(*fixture, 1);
  CHECK(must(streams.group_offsets(group, a, 3)) == offsets{{}, {}, {}});
  must(streams.commit_group_offsets(group, a, {{0, 7}, {2, 9}}));
  must(streams.commit_group_offsets(other, b, {{0, 1}}));
  CHECK(must(streams.group_offsets(group, a, 3)) == offsets{7, {}, 9});
  must(streams.commit_group_offsets(group, a, {{0, 8}}));
  CHECK(must(streams.group_offsets(group, a, 3)) == offsets{8, {}, 9});
  CHECK(must(streams.group_offsets(group, b, 1)) == offsets{{}});
  must(streams.delete_group(group));
  CHECK(must(streams.group_offsets(group, a, 3)) == offsets{{}, {}, {}});
  CHECK(must(streams.group_offsets(other, b, 1)) == offsets{1});
  // There is none any more, which is no error.
  must(streams.delete_group(group));
}

TEST_CASE("stream: the system says what it is", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  CHECK_FALSE(streams.describe().empty());
  CHECK(must(streams.broker_count()) == 1);
}

} // namespace weir::test
