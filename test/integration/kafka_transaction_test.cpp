// Fencing in the middle, and what a commit reports when the broker goes away.
#include "test/integration/kafka_fixture.hpp"

#include <future>
#include <thread>

using namespace weir;
using namespace weir::test;

TEST_CASE("a fenced producer cannot commit what it sent before") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto id = fresh_name("id");
  auto producer = transactional(*kafka, id);
  auto ref = need(producer->open_topic(topic));
  need(producer->begin());
  need(producer->send(text_record(ref, "a", "1")));
  need(producer->flush(20s));
  need(kafka->fence(id, 20s));
  auto done = producer->commit();
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == ec::fenced);
  CHECK_THAT(done.error().text(), Catch::Contains(id));
  reading in{*kafka, topic};
  CHECK(in.to_end().empty());
}

TEST_CASE("a producer that is fenced while it sends says fenced") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto id = fresh_name("id");
  auto producer = transactional(*kafka, id);
  auto ref = need(producer->open_topic(topic));
  need(producer->begin());
  need(producer->send(text_record(ref, "a", "1")));
  need(producer->flush(20s));
  need(kafka->fence(id, 20s));
  delivery_count delivered;
  need(producer->send(text_record(ref, "b", "2"), &delivered));
  REQUIRE(delivered.wait_for(1));
  REQUIRE(delivered.failures().size() == 1);
  CHECK(delivered.failures()[0].code() == ec::fenced);
  auto sent = producer->send(text_record(ref, "c", "3"));
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code() == ec::fenced);
  CHECK(producer->commit().error().code() == ec::fenced);
  reading in{*kafka, topic};
  CHECK(in.to_end().empty());
}

TEST_CASE("a second handle with the same id fences the first") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto id = fresh_name("id");
  auto first = transactional(*kafka, id);
  auto ref = need(first->open_topic(topic));
  need(first->begin());
  need(first->send(text_record(ref, "a", "old")));
  need(first->flush(20s));
  auto second = transactional(*kafka, id);
  auto second_ref = need(second->open_topic(topic));
  need(second->begin());
  need(second->send(text_record(second_ref, "a", "new")));
  need(second->commit());
  CHECK(first->commit().error().code() == ec::fenced);
  // The old record and its marker, the new one and its marker.
  reading in{*kafka, topic};
  in.to(4);
  CHECK(in.values() == std::vector<std::string>{"new"});
}

TEST_CASE("an id that nobody uses can be fenced") {
  auto kafka = open_system();
  need(kafka->fence(fresh_name("id"), 20s));
}

TEST_CASE("a transaction that the broker timed out does not commit") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  producer_options options;
  options.transactional_id = fresh_name("id");
  options.transaction_timeout = 1'500ms;
  auto producer = need(kafka->open_producer(options));
  auto ref = need(producer->open_topic(topic));
  need(producer->begin());
  need(producer->send(text_record(ref, "a", "1")));
  need(producer->flush(20s));
  // The abort's marker is the event.
  reading in{*kafka, topic};
  REQUIRE(in.until([&] { return in.native().position() >= 2; }, 30s));
  auto done = producer->commit();
  REQUIRE_FALSE(done);
  // The broker raised the epoch: the same to see as a fence.
  CHECK((done.error().code() == ec::fenced ||
         done.error().code() == ec::transaction_failed));
  CHECK(in.records().empty());
}

TEST_CASE("transactional calls on a plain producer, and sends outside") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto plain = need(kafka->open_producer({}));
  CHECK(plain->begin().error().code() == ec::bad_argument);
  CHECK(plain->commit().error().code() == ec::bad_argument);
  CHECK(plain->send(text_record({}, "a", "1")).error().code() ==
        ec::bad_argument);
  auto ref = need(plain->open_topic(topic));
  CHECK(plain->send(text_record(ref, "a", "1", 1)).error().code() ==
        ec::bad_argument);
  auto producer = transactional(*kafka, fresh_name("id"));
  auto other = need(producer->open_topic(topic));
  CHECK(producer->send(text_record(other, "a", "1")).error().code() ==
        ec::transaction_failed);
}

// Rule L4: while a commit waits, its connection breaks; a copy of the request
// may still be under way when the transaction is already committed.
TEST_CASE("a commit over a broken connection retires its id") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 1);
  auto producer = transactional(*kafka, fresh_name("id"));
  auto ref = need(producer->open_topic(topic));
  auto& broker = shared_kafka_server();
  need(producer->begin());
  delivery_count delivered;
  need(producer->send(text_record(ref, "a", "1"), &delivered));
  need(producer->flush(20s));
  result<commit_report> done = fail(ec::closed, "not run");
  // Nobody answers the commit; then the connection ends with the process.
  broker.pause();
  std::thread committing{[&] { done = producer->commit(); }};
  broker.kill();
  broker.start();
  committing.join();
  if (done) {
    CHECK(done->retire_id);
    reading in{*kafka, topic};
    in.to(2);
    CHECK(in.values() == std::vector<std::string>{"1"});
  } else {
    // Given up: a fresh id goes on, whatever became of it (L3).
    CHECK((done.error().code() == ec::transaction_failed ||
           done.error().code() == ec::fenced));
  }
  producer.reset();
  auto next = transactional(*kafka, fresh_name("id"));
  auto next_ref = need(next->open_topic(topic));
  need(next->begin());
  need(next->send(text_record(next_ref, "b", "2")));
  need(next->commit());
}

TEST_CASE("a slow commit retires its id") {
  auto options = broker_options();
  // Half of it is the limit.
  options.properties["socket.timeout.ms"] = "4000";
  auto kafka = open_system(options);
  auto topic = make_topic(*kafka, 1);
  auto producer = transactional(*kafka, fresh_name("id"));
  auto ref = need(producer->open_topic(topic));
  need(producer->begin());
  need(producer->send(text_record(ref, "a", "1")));
  // Else the commit has to wait for the record first.
  if (GENERATE(true, false))
    need(producer->flush(20s));
  shared_kafka_server().pause();
  auto done =
      std::async(std::launch::async, [&] { return producer->commit(); });
  auto early = done.wait_for(2'100ms);
  shared_kafka_server().resume();
  CHECK(early == std::future_status::timeout);
  auto report = need(done.get());
  CHECK(report.retire_id);
  reading in{*kafka, topic};
  in.to(2);
  CHECK(in.values() == std::vector<std::string>{"1"});
}

TEST_CASE("commits without trouble keep their id") {
  auto kafka = open_system();
  auto topic = make_topic(*kafka, 4);
  auto producer = transactional(*kafka, fresh_name("id"));
  auto ref = need(producer->open_topic(topic));
  for (int i = 0; i < 50; ++i) {
    need(producer->begin());
    delivery_count delivered;
    for (int p = 0; p < 4; ++p)
      need(producer->send(text_record(ref, "k", std::to_string(i), p),
                          &delivered));
    REQUIRE_FALSE(need(producer->commit()).retire_id);
    // Every listener was called before the commit returned.
    REQUIRE(delivered.offsets().size() == 4);
  }
  // An empty one is a heartbeat.
  need(producer->begin());
  need(producer->commit());
}
