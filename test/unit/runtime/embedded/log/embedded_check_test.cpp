// What the embedded log notices on opening and on reading.
#include "runtime/embedded/log/log_format.hpp"
#include "test/conformance/embedded_fixture.hpp"
#include "test/conformance/stream_tools.hpp"
#include "test/servers/log_editor.hpp"

namespace weir::test {

namespace {

/// Closes the log, edits it, opens it again.
template <class Edit>
result<void> edited(embedded_fixture& fixture, Edit edit) {
  fixture.close();
  {
    log_editor editor{fixture.open_database()};
    must(edit(editor));
  }
  return fixture.open();
}

/// Opening fails, and says where.
void check_corrupt(const result<void>& opened, const std::string& topic,
                   const std::string& offset) {
  REQUIRE(error_of(opened) == ec::corruption);
  auto& text = opened.error().text();
  INFO(text);
  CHECK(text.find("topic '" + topic + "' partition 0 offset " + offset) !=
        std::string::npos);
}

const std::map<std::string, std::string> compacted{
    {"cleanup.policy", "compact"}};

} // namespace

TEST_CASE("embedded log: a hole is found on opening") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 2);
  commit_values(fixture, topic, {"a", "b", "c"});
  auto remove = [&](std::int64_t offset) {
    return edited(fixture,
                  [&](log_editor& x) { return x.remove(topic, 0, offset); });
  };
  SECTION("in the middle") {
    check_corrupt(remove(1), topic, "1:");
  }
  SECTION("at the beginning") {
    check_corrupt(remove(0), topic, "0:");
  }
  // Bounds are stored with every commit: a lost end is seen too.
  SECTION("at the end") {
    check_corrupt(remove(3), topic, "3:");
  }
}

TEST_CASE("embedded log: wrong bytes are found on opening") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 1);
  commit_values(fixture, topic, {"aaaa", "bbbb"});
  check_corrupt(
      edited(fixture,
             [&](log_editor& x) { return x.damage(topic, 0, 1, 20, "!"); }),
      topic, "1: the record's checksum");
}

TEST_CASE("embedded log: a record beyond the end is found on opening") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 1);
  commit_values(fixture, topic, {"a"});
  fixture.close();
  {
    auto database = fixture.open_database();
    std::string bytes;
    auto key = log_format::record_key({1, 0}, 0);
    REQUIRE(must(database->get(key, bytes)));
    embedded_batch batch;
    batch.put(log_format::record_key({1, 0}, 2), bytes);
    must(database->write(batch));
  }
  check_corrupt(fixture.open(), topic, "2: a record lies outside");
}

TEST_CASE("embedded log: lost bounds are found on opening") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 1);
  commit_values(fixture, topic, {"a"});
  fixture.close();
  {
    auto database = fixture.open_database();
    embedded_batch batch;
    batch.erase(log_format::bounds_key({1, 0}));
    must(database->write(batch));
  }
  check_corrupt(fixture.open(), topic, "0: the stored bounds");
}

TEST_CASE("embedded log: a lost record of a compacted topic is found") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 1, compacted);
  commit_values(fixture, topic, {"a", "b", "c"});
  commit_values(fixture, topic, {"b"});
  auto remove = [&](std::int64_t offset) {
    return edited(fixture,
                  [&](log_editor& x) { return x.remove(topic, 0, offset); });
  };
  SECTION("a record") {
    check_corrupt(remove(0), topic, "0:");
  }
  SECTION("a later version") {
    check_corrupt(remove(4), topic, "4:");
  }
  SECTION("the marker") {
    check_corrupt(remove(5), topic, "5:");
  }
}

TEST_CASE("embedded log: an index that names another record is found") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 1, compacted);
  commit_values(fixture, topic, {"a", "b"});
  auto with_index = [&](std::string_view key,
                        std::optional<log_format::index_entry> entry) {
    fixture.close();
    {
      auto database = fixture.open_database();
      embedded_batch batch;
      auto place = log_format::index_key({1, 0}, key);
      if (entry)
        batch.put(place, encode(*entry));
      else
        batch.erase(place);
      must(database->write(batch));
    }
    return fixture.open();
  };
  SECTION("no entry") {
    check_corrupt(with_index("ka", {}), topic, "0:");
  }
  SECTION("a swapped one") {
    REQUIRE(error_of(with_index("ka", log_format::index_entry{1, false, 0})) ==
            ec::corruption);
  }
  SECTION("one of a tombstone") {
    check_corrupt(with_index("ka", log_format::index_entry{0, true, 0}), topic,
                  "0: the index of keys names another record");
  }
}

TEST_CASE("embedded log: wrong bytes are found by a poll") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 1);
  commit_values(fixture, topic, {"aaaa", "bbbb"});
  fixture.close();
  auto database = fixture.open_database();
  auto streams = must(make_embedded_streams(database, make_outside_world()));
  // Behind the back of the open log.
  must(log_editor{database}.damage(topic, 0, 1, 20, "!"));
  test_reader reader{*streams, topic, 0, 0};
  CHECK(reader.await_error() == ec::corruption);
}

TEST_CASE("embedded log: consistent edits open and read as edited") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 1);
  commit_values(fixture, topic, {"a", "b", "c"});
  auto read = [&] {
    test_reader reader{fixture.streams(), topic, 0,
                       limits(fixture.streams(), topic).low};
    return values(reader.read_to_end());
  };
  SECTION("a foreign record") {
    edited_record foreign;
    foreign.key = "k";
    foreign.value = "foreign";
    foreign.headers = {{"who", "me"}};
    must(edited(fixture, [&](log_editor& x) -> result<void> {
      if (auto done = x.append(topic, 0, foreign); !done)
        return fail(done.error());
      return {};
    }));
    test_reader reader{fixture.streams(), topic, 0, 4};
    auto records = reader.read_to_end();
    REQUIRE(records.size() == 1);
    CHECK(records[0].headers == foreign.headers);
    CHECK(read() == std::vector<std::string>{"a", "b", "c", "foreign"});
  }
  SECTION("other content") {
    edited_record other;
    other.offset = 1;
    other.key = "k";
    other.value = "other";
    must(edited(fixture,
                [&](log_editor& x) { return x.rewrite(topic, 0, other); }));
    CHECK(read() == std::vector<std::string>{"a", "other", "c"});
  }
  SECTION("no tail") {
    must(edited(fixture,
                [&](log_editor& x) { return x.drop_tail(topic, 0, 2); }));
    CHECK(read() == std::vector<std::string>{"a", "b"});
    CHECK(commit_values(fixture, topic, {"d"}) == std::vector<std::int64_t>{2});
  }
  SECTION("no head") {
    must(edited(fixture,
                [&](log_editor& x) { return x.drop_head(topic, 0, 2); }));
    CHECK(read() == std::vector<std::string>{"c"});
  }
}

TEST_CASE("embedded log: a torn transaction in a compacted topic opens") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 1, compacted);
  commit_values(fixture, topic, {"a", "b", "c"});
  must(edited(fixture, [&](log_editor& x) { return x.tear_out(topic, 0, 1); }));
  {
    test_reader reader{fixture.streams(), topic, 0, 0};
    CHECK(values(reader.read_to_end()) == std::vector<std::string>{"a", "c"});
    // And its key can be written again.
    commit_values(fixture, topic, {"b"});
    CHECK(values(reader.read(1)) == std::vector<std::string>{"b"});
  }
  fixture.close();
  must(fixture.open());
}

TEST_CASE("embedded log: the removal of a deleted topic is finished") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 2, compacted);
  commit_values(fixture, topic, {"a", "b"});
  fixture.close();
  {
    // As a crash leaves it after the first batch of the removal.
    auto database = fixture.open_database();
    embedded_batch batch;
    batch.erase(log_format::topic_key(topic));
    batch.put(log_format::doomed_key(1), topic);
    must(database->write(batch));
  }
  must(fixture.open());
  CHECK_FALSE(must(fixture.streams().describe_topic(topic)).has_value());
  fixture.close();
  int left = 0;
  auto database = fixture.open_database();
  for (auto& prefix :
       {log_format::records_prefix(1u), log_format::index_prefix(1u),
        log_format::partitions_prefix(1u), log_format::doomed_prefix()})
    must(database->scan_prefix(prefix, [&](auto, auto) {
      ++left;
      return true;
    }));
  CHECK(left == 0);
}

TEST_CASE("embedded log: a reader that goes while a commit wakes is not "
          "called") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 1);
  std::unique_ptr<partition_reader> second;
  int first_calls = 0;
  int second_calls = 0;
  auto open = [&](std::function<void()> on_ready) {
    reader_options options;
    options.topic = topic;
    options.on_ready = std::move(on_ready);
    return must(fixture.streams().open_reader(std::move(options)));
  };
  auto first = open([&] {
    ++first_calls;
    second.reset();
  });
  second = open([&] { ++second_calls; });
  record_batch batch;
  must(first->poll(batch, 1));
  must(second->poll(batch, 1));
  first_calls = second_calls = 0;
  // Both are to be woken, the first one first.
  commit_values(fixture, topic, {"v"});
  CHECK(first_calls == 1);
  CHECK(second == nullptr);
  CHECK(second_calls == 0);
}

TEST_CASE("embedded log: a deleted topic is gone for its users") {
  embedded_fixture fixture;
  auto& streams = fixture.streams();
  auto topic = make_topic(fixture, 1);
  test_reader reader{streams, topic, 0, 0};
  CHECK(reader.read_to_end().empty());
  auto producer = open_plain(streams);
  outgoing x;
  x.topic = must(producer->open_topic(topic));
  x.value = "v";
  must(streams.delete_topic(topic));
  CHECK(reader.await_error() == ec::not_found);
  CHECK(error_of(producer->send(x)) == ec::not_found);
}

} // namespace weir::test
