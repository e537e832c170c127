// Transactions and fencing: what rules L1 to L3 and C1 stand on.
#include <algorithm>
#include <thread>

#include "test/conformance/stream_tools.hpp"

namespace weir::test {

namespace {

using strings = std::vector<std::string>;

strings read_all(stream_system& streams, const std::string& topic,
                 std::int32_t partition = 0) {
  test_reader reader{streams, topic, partition, 0};
  return values(reader.read_to_end());
}

/// A transaction with one record, sent as far as it can be before the commit.
std::unique_ptr<producer> with_open_transaction(stream_system& streams,
                                                const std::string& id,
                                                const std::string& topic,
                                                const std::string& value) {
  auto p = open_transactional(streams, id);
  auto ref = must(p->open_topic(topic));
  must(p->begin());
  send(*p, ref, 0, "k", value);
  must(p->flush(patience));
  return p;
}

/// The committed end has reached the high watermark: no transaction is open.
void check_nothing_open(stream_system& streams, const std::string& topic) {
  CHECK(limits(streams, topic, 0, isolation::read_committed).high ==
        limits(streams, topic, 0, isolation::read_uncommitted).high);
}

} // namespace

TEST_CASE("stream: a transaction is visible whole and only after its commit",
          "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 3);
  auto other = make_topic(*fixture, 1);
  auto p = open_transactional(streams, fixture->unique("id"));
  auto ref = must(p->open_topic(topic));
  auto other_ref = must(p->open_topic(other));
  must(p->begin());
  delivery_ledger ledger;
  for (int i = 0; i < 30; ++i)
    send(*p, ref, i % 3, "k" + std::to_string(i), std::to_string(i),
         ledger.next());
  send(*p, other_ref, 0, "k", "other", ledger.next());
  must(p->flush(patience));
  for (int partition = 0; partition < 3; ++partition)
    CHECK(read_all(streams, topic, partition).empty());
  CHECK(read_all(streams, other).empty());

  must(p->commit());
  // Every listener was called when commit returned.
  auto entries = ledger.entries();
  for (auto& x : entries) {
    REQUIRE(x.calls == 1);
    REQUIRE_FALSE(x.failure.has_value());
  }
  for (int partition = 0; partition < 3; ++partition) {
    test_reader reader{streams, topic, partition, 0};
    auto records = reader.read_to_end();
    REQUIRE(records.size() == 10);
    for (int i = 0; i < 10; ++i) {
      REQUIRE(*records[i].value == std::to_string(3 * i + partition));
      REQUIRE(records[i].offset == entries[3 * i + partition].offset);
    }
  }
  CHECK(read_all(streams, other) == strings{"other"});
}

TEST_CASE("stream: markers take offsets and readers step over them",
          "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  auto p = open_transactional(streams, fixture->unique("id"));
  auto ref = must(p->open_topic(topic));
  delivery_ledger ledger;
  for (auto value : {"a", "b", "c"}) {
    must(p->begin());
    send(*p, ref, 0, "k", value, ledger.next());
    must(p->commit());
  }
  CHECK(ledger.offsets() == std::vector<std::int64_t>{0, 2, 4});
  test_reader reader{streams, topic, 0, 0};
  auto records = reader.read_to_end();
  CHECK(values(records) == strings{"a", "b", "c"});
  CHECK(records[1].offset == 2);
  CHECK(reader.at_end());
  CHECK(reader.position() == 6);
  CHECK(limits(streams, topic).high == 6);
  // From a marker on: the next record.
  test_reader from_marker{streams, topic, 0, 1};
  CHECK(values(from_marker.read_to_end()) == strings{"b", "c"});
  test_reader from_last{streams, topic, 0, 5};
  CHECK(from_last.read_to_end().empty());
  CHECK(from_last.position() == 6);
}

TEST_CASE("stream: an empty transaction commits", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  auto p = open_transactional(streams, fixture->unique("id"));
  auto ref = must(p->open_topic(topic));
  must(p->begin());
  must(p->commit());
  CHECK(limits(streams, topic).high == 0);
  must(p->begin());
  send(*p, ref, 0, "k", "v");
  must(p->commit());
  CHECK(read_all(streams, topic) == strings{"v"});
}

TEST_CASE("stream: records need an open transaction", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  auto p = open_transactional(streams, fixture->unique("id"));
  outgoing x;
  x.topic = must(p->open_topic(topic));
  x.value = "stray";
  CHECK_FALSE(p->send(x).has_value());
  CHECK(read_all(streams, topic).empty());
}

TEST_CASE("stream: an abandoned transaction is never visible", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  auto id = fixture->unique("id");
  with_open_transaction(streams, id, topic, "abandoned").reset();
  must(streams.fence(id, patience));
  check_nothing_open(streams, topic);
  auto offsets = commit_values(*fixture, topic, {"committed"});
  test_reader reader{streams, topic, 0, 0};
  auto records = reader.read_to_end();
  CHECK(values(records) == strings{"committed"});
  CHECK(records[0].offset == offsets[0]);
  CHECK(reader.position() == limits(streams, topic).high);
  check_nothing_open(streams, topic);
}

TEST_CASE("stream: a reader waits behind an open transaction", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  commit_values(*fixture, topic, {"first"});
  auto before = limits(streams, topic);
  auto id = fixture->unique("id");
  auto open = with_open_transaction(streams, id, topic, "open");
  CHECK(limits(streams, topic, 0, isolation::read_committed).high ==
        before.high);
  CHECK(limits(streams, topic, 0, isolation::read_uncommitted).high >=
        before.high);
  test_reader reader{streams, topic, 0, 0};
  CHECK(values(reader.read_to_end()) == strings{"first"});
  CHECK(reader.at_end());
  must(open->commit());
  CHECK(values(reader.read(1)) == strings{"open"});
  check_nothing_open(streams, topic);
  test_reader uncommitted{streams, topic, 0, 0, isolation::read_uncommitted};
  CHECK(values(uncommitted.read(2)) == strings{"first", "open"});
}

TEST_CASE("stream: a fence ends another handle's transaction", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  auto id = fixture->unique("id");
  auto old = with_open_transaction(streams, id, topic, "zombie");
  must(streams.fence(id, patience));
  // Certain when fence returned, not some time later.
  check_nothing_open(streams, topic);
  CHECK(error_of(old->commit()) == ec::fenced);
  // The handle is finished.
  CHECK_FALSE(old->begin().has_value());
  CHECK_FALSE(old->commit().has_value());
  commit_values(*fixture, topic, {"alive"});
  CHECK(read_all(streams, topic) == strings{"alive"});
}

TEST_CASE("stream: a later handle of an id fences the earlier one",
          "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  auto id = fixture->unique("id");
  auto old = with_open_transaction(streams, id, topic, "zombie");
  auto young = open_transactional(streams, id);
  check_nothing_open(streams, topic);
  auto ref = must(young->open_topic(topic));
  must(young->begin());
  send(*young, ref, 0, "k", "young");
  must(young->commit());
  CHECK(error_of(old->commit()) == ec::fenced);
  must(young->begin());
  send(*young, ref, 0, "k", "again");
  must(young->commit());
  CHECK(read_all(streams, topic) == strings{"young", "again"});
}

TEST_CASE("stream: nothing is committed once a fence has returned",
          "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  for (int round = 0; round < 10; ++round) {
    auto id = fixture->unique("id");
    auto p = open_transactional(streams, id);
    outgoing x;
    x.topic = must(p->open_topic(topic));
    x.value = "v";
    must(p->begin());
    must(p->send(x));
    signal_counter committed;
    std::optional<ec> last;
    auto learn = [&last](const auto& done) {
      if (!done)
        last = done.error().code();
      return done.has_value();
    };
    std::thread zombie{[&] {
      while (learn(p->commit())) {
        committed.raise();
        if (!learn(p->begin()) || !learn(p->send(x)))
          return;
      }
    }};
    // Commits are under way, at any step of theirs.
    auto started = committed.await_more_than(round % 3);
    auto fenced = streams.fence(id, patience);
    auto end = limits(streams, topic, 0, isolation::read_uncommitted).high;
    zombie.join();
    REQUIRE(started);
    must(fenced);
    // A send may only know that the transaction is lost.
    CHECK((last == ec::fenced || last == ec::transaction_failed));
    CHECK(limits(streams, topic, 0, isolation::read_uncommitted).high == end);
    check_nothing_open(streams, topic);
  }
}

TEST_CASE("stream: a fence reaches a handle between two transactions",
          "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  auto id = fixture->unique("id");
  auto p = open_transactional(streams, id);
  auto ref = must(p->open_topic(topic));
  must(p->begin());
  send(*p, ref, 0, "k", "before");
  must(p->commit());
  must(streams.fence(id, patience));
  // Somewhere between begin and commit it learns of it.
  auto attempt = [&]() -> result<void> {
    if (auto begun = p->begin(); !begun)
      return begun;
    outgoing x;
    x.topic = ref;
    x.value = "after";
    if (auto sent = p->send(x); !sent)
      return sent;
    auto done = p->commit();
    return done ? result<void>{} : fail(done.error());
  };
  CHECK(error_of(attempt()) == ec::fenced);
  CHECK(read_all(streams, topic) == strings{"before"});
}

TEST_CASE("stream: fencing again, or an unknown id, succeeds", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto id = fixture->unique("id");
  must(streams.fence(id, patience));
  must(streams.fence(id, patience));
  auto p = open_transactional(streams, id);
  must(streams.fence(id, patience));
  auto begun = p->begin();
  auto committed = begun ? p->commit() : fail(begun.error());
  // An empty transaction may end without asking anybody; it wrote nothing.
  if (!committed)
    CHECK(committed.error().code() == ec::fenced);
}

TEST_CASE("stream: a failed transaction fails its records", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  auto id = fixture->unique("id");
  delivery_ledger ledger;
  {
    auto p = open_transactional(streams, id);
    auto ref = must(p->open_topic(topic));
    must(p->begin());
    must(streams.fence(id, patience));
    outgoing x;
    x.topic = ref;
    x.value = "lost";
    auto sent = p->send(x, ledger.next());
    CHECK_FALSE((sent && p->commit()));
  }
  // At most once, and never as a success that is not one.
  for (auto& x : ledger.entries()) {
    CHECK(x.calls <= 1);
    CHECK(x.offset == -1);
  }
  CHECK(read_all(streams, topic).empty());
}

TEST_CASE("stream: two producers' transactions do not mix", "[stream]") {
  auto fixture = make_stream_fixture();
  auto& streams = fixture->streams();
  auto topic = make_topic(*fixture, 1);
  auto lost = fixture->unique("lost");
  auto a = with_open_transaction(streams, fixture->unique("a"), topic, "a");
  auto b = with_open_transaction(streams, lost, topic, "b");
  auto c = with_open_transaction(streams, fixture->unique("c"), topic, "c");
  must(c->commit());
  must(streams.fence(lost, patience));
  must(a->commit());
  auto all = read_all(streams, topic);
  std::sort(all.begin(), all.end());
  CHECK(all == strings{"a", "c"});
  CHECK(error_of(b->commit()) == ec::fenced);
}

TEST_CASE("stream: what is committed survives, what is not does not",
          "[stream]") {
  auto fixture = make_stream_fixture();
  auto topic = make_topic(*fixture, 1, {{"retention.bytes", "1000000"}});
  auto group = fixture->unique("group");
  auto id = fixture->unique("id");
  commit_values(*fixture, topic, {"kept"});
  must(fixture->streams().commit_group_offsets(group, topic, {{0, 1}}));
  with_open_transaction(fixture->streams(), id, topic, "lost").reset();
  fixture->reopen();
  auto& streams = fixture->streams();
  must(streams.fence(id, patience));
  check_nothing_open(streams, topic);
  CHECK(read_all(streams, topic) == strings{"kept"});
  CHECK(must(streams.describe_topic(topic))->config["retention.bytes"] ==
        "1000000");
  CHECK(must(streams.group_offsets(group, topic, 1))[0] == 1);
  commit_values(*fixture, topic, {"new"});
  CHECK(read_all(streams, topic) == strings{"kept", "new"});
}

} // namespace weir::test
