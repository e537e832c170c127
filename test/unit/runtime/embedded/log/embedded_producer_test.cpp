// What is special about the embedded log's producers: batching, epochs, faults.
#include "runtime/embedded/log/log_format.hpp"
#include "runtime/embedded/log/producer_epochs.hpp"
#include "test/conformance/embedded_fixture.hpp"
#include "test/conformance/stream_tools.hpp"
#include "test/servers/log_editor.hpp"
#include "test/unit/runtime/embedded/log/faulty_env.hpp"

namespace weir::test {

namespace {

struct faulty_rig {
  explicit faulty_rig(bool own_threads = true)
      : fixture([&] {
          embedded_fixture_options x;
          x.streams.own_threads = own_threads;
          x.database.env = &env;
          return x;
        }()) {}

  faulty_env env;
  embedded_fixture fixture;
};

} // namespace

TEST_CASE("embedded producer: a load of records takes few syncs") {
  faulty_rig rig;
  auto topic = make_topic(rig.fixture, 8);
  auto producer = open_plain(rig.fixture.streams());
  auto ref = must(producer->open_topic(topic));
  auto before = rig.env.syncs.load();
  std::string value(100, 'v');
  for (int i = 0; i < 12'000; ++i)
    send(*producer, ref, i % 8, "key", value);
  must(producer->flush(patience));
  CHECK(rig.env.syncs - before < 200);
  CHECK(limits(rig.fixture.streams(), topic, 7).high == 1500);
}

TEST_CASE("embedded producer: a transaction is one sync") {
  faulty_rig rig;
  auto topic = make_topic(rig.fixture, 8);
  auto producer = open_transactional(rig.fixture.streams(), "id");
  auto ref = must(producer->open_topic(topic));
  must(producer->begin());
  for (int i = 0; i < 1000; ++i)
    send(*producer, ref, i % 8, "key", "value");
  auto before = rig.env.syncs.load();
  must(producer->commit());
  CHECK(rig.env.syncs - before == 1);
}

TEST_CASE("embedded producer: a large transaction asks for its commit") {
  faulty_rig rig;
  auto topic = make_topic(rig.fixture, 1);
  producer_options options;
  options.transactional_id = "id";
  options.transaction_bytes = 100'000;
  auto producer = must(rig.fixture.streams().open_producer(options));
  auto ref = must(producer->open_topic(topic));
  for (int round = 1; round <= 2; ++round) {
    must(producer->begin());
    int sent = 0;
    for (; !producer->wants_commit() && sent < 1'000; ++sent)
      send(*producer, ref, 0, "k", std::string(1'000, 'v'));
    CHECK(sent > 80);
    CHECK(sent <= 100);
    // What completes the transaction is taken all the same.
    for (int i = sent; i < 150; ++i)
      send(*producer, ref, 0, "k", std::string(1'000, 'v'));
    CHECK(producer->wants_commit());
    must(producer->commit());
    CHECK_FALSE(producer->wants_commit());
    // And a marker each.
    CHECK(limits(rig.fixture.streams(), topic).high == round * 151);
  }
}

TEST_CASE("embedded producer: many small records are a large transaction") {
  faulty_rig rig;
  auto topic = make_topic(rig.fixture, 1);
  producer_options options;
  options.transactional_id = "id";
  options.transaction_bytes = 100'000;
  auto producer = must(rig.fixture.streams().open_producer(options));
  auto ref = must(producer->open_topic(topic));
  must(producer->begin());
  int sent = 0;
  for (; !producer->wants_commit() && sent < 10'000; ++sent)
    send(*producer, ref, 0, "k", "");
  CHECK(sent < 1'500);
}

TEST_CASE("embedded producer: without a thread a record is written at once") {
  faulty_rig rig{false};
  auto topic = make_topic(rig.fixture, 1);
  auto producer = open_plain(rig.fixture.streams(), std::chrono::hours{1});
  auto ref = must(producer->open_topic(topic));
  delivery_ledger ledger;
  send(*producer, ref, 0, "k", "v", ledger.next());
  CHECK(ledger.entries()[0].offset == 0);
  CHECK(limits(rig.fixture.streams(), topic).high == 1);
}

TEST_CASE("embedded producer: a destroyed one abandons what it queued") {
  faulty_rig rig;
  auto topic = make_topic(rig.fixture, 1);
  delivery_ledger ledger;
  {
    auto producer = open_plain(rig.fixture.streams(), std::chrono::hours{1});
    auto ref = must(producer->open_topic(topic));
    send(*producer, ref, 0, "k", "v", ledger.next());
  }
  auto entry = ledger.entries()[0];
  CHECK(entry.calls == 1);
  REQUIRE(entry.failure.has_value());
  CHECK(entry.failure->code() == ec::closed);
  CHECK(limits(rig.fixture.streams(), topic).high == 0);
}

TEST_CASE("embedded producer: a fence shows at the next call") {
  embedded_fixture fixture;
  auto& streams = fixture.streams();
  auto topic = make_topic(fixture, 1);
  auto idle = open_transactional(streams, "idle");
  auto open = open_transactional(streams, "open");
  outgoing x;
  x.topic = must(open->open_topic(topic));
  x.value = "v";
  delivery_ledger ledger;
  must(open->begin());
  must(open->send(x, ledger.next()));
  must(streams.fence("idle", patience));
  must(streams.fence("open", patience));
  CHECK(error_of(idle->begin()) == ec::fenced);
  CHECK(error_of(open->send(x)) == ec::fenced);
  // What it had collected is settled with that.
  auto entry = ledger.entries()[0];
  CHECK(entry.calls == 1);
  REQUIRE(entry.failure.has_value());
  CHECK(entry.failure->code() == ec::fenced);
  CHECK(error_of(open->flush(patience)) == ec::fenced);
  CHECK(error_of(open->commit()) == ec::fenced);
}

TEST_CASE("embedded producer: a full disk fails the transaction as a whole") {
  faulty_rig rig;
  auto topic = make_topic(rig.fixture, 2);
  commit_values(rig.fixture, topic, {"kept"});
  delivery_ledger ledger;
  {
    auto producer = open_transactional(rig.fixture.streams(), "id");
    auto ref = must(producer->open_topic(topic));
    must(producer->begin());
    send(*producer, ref, 0, "k", "lost", ledger.next());
    send(*producer, ref, 1, "k", "lost", ledger.next());
    rig.env.full = true;
    auto failed = producer->commit();
    REQUIRE(error_of(failed) == ec::transaction_failed);
    CHECK(failed.error().text().find("the disk is full") != std::string::npos);
    CHECK(error_of(producer->begin()) == ec::transaction_failed);
  }
  for (auto& x : ledger.entries()) {
    CHECK(x.calls == 1);
    CHECK(x.failure.has_value());
  }
  rig.env.full = false;
  rig.fixture.reopen();
  auto& streams = rig.fixture.streams();
  test_reader first{streams, topic, 0, 0};
  CHECK(values(first.read_to_end()) == std::vector<std::string>{"kept"});
  CHECK(limits(streams, topic, 1).high == 0);
}

TEST_CASE("embedded producer: a plain one's failure comes out of flush") {
  faulty_rig rig;
  auto topic = make_topic(rig.fixture, 1);
  auto producer = open_plain(rig.fixture.streams(), std::chrono::hours{1});
  auto ref = must(producer->open_topic(topic));
  delivery_ledger ledger;
  send(*producer, ref, 0, "k", "lost", ledger.next());
  rig.env.full = true;
  CHECK(error_of(producer->flush(patience)) == ec::io_error);
  CHECK(ledger.entries()[0].failure.has_value());
}

TEST_CASE("embedded producer: epochs outlive the process, for a week") {
  embedded_fixture_options options;
  auto world = std::make_shared<manual_world>();
  options.world = world;
  embedded_fixture fixture{options};
  auto epoch_of = [&](const std::string& id) {
    fixture.close();
    std::string bytes;
    auto present =
        must(fixture.open_database()->get(log_format::epoch_key(id), bytes));
    must(fixture.open());
    return present ? log_format::decode_producer_epoch(bytes)->epoch : 0;
  };
  open_transactional(fixture.streams(), "id");
  must(fixture.streams().fence("id", patience));
  CHECK(epoch_of("id") == 2);
  open_transactional(fixture.streams(), "id");
  CHECK(epoch_of("id") == 3);
  world->now += producer_epochs::kept_ms;
  fixture.reopen();
  CHECK(epoch_of("id") == 3);
  world->now += 1;
  fixture.reopen();
  CHECK(epoch_of("id") == 0);
}

TEST_CASE("embedded producer: markers name the producer and its epoch") {
  embedded_fixture fixture;
  auto topic = make_topic(fixture, 1);
  must(fixture.streams().fence("weir.job.1", patience));
  auto p = open_transactional(fixture.streams(), "weir.job.1");
  auto ref = must(p->open_topic(topic));
  must(p->begin());
  send(*p, ref, 0, "k", "v");
  must(p->commit());
  p.reset();
  fixture.close();
  std::string bytes;
  auto key = log_format::record_key({1, 0}, 1);
  REQUIRE(must(fixture.open_database()->get(key, bytes)));
  auto marker = log_format::decode_record(key, bytes);
  REQUIRE(marker.has_value());
  CHECK(marker->type == log_format::record_type::marker);
  CHECK(marker->producer_id == "weir.job.1");
  CHECK(marker->epoch == 2);
}

} // namespace weir::test
