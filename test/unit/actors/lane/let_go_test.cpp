// H28: a parked node is written once, whatever becomes of the reply.
#include <catch2/catch.hpp>

#include <caf/scheduler/test_coordinator.hpp>

#include "actors/lane/let_go.hpp"
#include "runtime/embedded/coordination/coordination.hpp"
#include "test/manual_executor.hpp"

using namespace weir;

namespace {

constexpr auto parked_path = "/weir/t/parked/0";
constexpr auto claim_path = "/weir/t/tasks/0";

/// The end of task 0 of job "t", whose lane is the test. Requests run one by
/// one, with the actors between them.
struct leaving_task {
  std::shared_ptr<test::manual_executor> network =
      std::make_shared<test::manual_executor>();
  std::shared_ptr<embedded_coordination> service =
      make_embedded_coordination(nullptr, network);
  std::shared_ptr<membership_info> info = std::make_shared<membership_info>();
  std::shared_ptr<living_ids> living = std::make_shared<living_ids>();
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  caf::scheduler::test_coordinator* scheduler = nullptr;
  caf::actor lane;
  caf::actor ending;
  int let_gone_count = 0;

  leaving_task() {
    info->session = std::move(*service->open_session({}));
    config.set("scheduler.policy", caf::atom("testing"));
    system = std::make_unique<caf::actor_system>(config);
    scheduler =
        dynamic_cast<caf::scheduler::test_coordinator*>(&system->scheduler());
    lane = system->spawn([this]() -> caf::behavior {
      return {[this](const let_gone&) { ++let_gone_count; }};
    });
    claim_node claim;
    claim.producer_id = "weir.t.living";
    claim.epoch = 1;
    make("/weir/t/parked", "");
    make(claim_path, encode(claim));
  }
  ~leaving_task() {
    caf::anon_send_exit(lane, caf::exit_reason::kill);
    lane = ending = nullptr;
    scheduler->clock().cancel_all();
    scheduler->run();
    info->session->close();
  }

  void make(const std::string& path, const std::string& data) {
    info->session->ensure(path, data, [](result<void> x) { REQUIRE(x); });
    network->run();
  }
  void put(const std::string& path, const std::string& data) {
    info->session->set(path, data, any_version, [](auto x) { REQUIRE(x); });
    network->run();
  }
  parked_node stop() const {
    parked_node out;
    out.why = "thrown by a record";
    out.who = "process 7 on host-a";
    out.when_ms = 5;
    out.topic = "in";
    out.partition = 0;
    out.offset = 3;
    return out;
  }
  void let_go() {
    outside_systems outside;
    outside.coordination = service;
    outside.living = living;
    let_go_task what;
    what.living_id = "weir.t.living";
    what.parked = std::make_shared<const parked_node>(stop());
    auto context = std::make_shared<node_context>(outside, job{"t"}, settings{},
                                                  process_identity{});
    ending = system->spawn<let_go_actor>(context, info, lane, what);
    scheduler->run();
  }
  /// One request and what the actors make of its answer.
  void step() {
    network->run();
    service->reconnect(info->session->session_id());
    scheduler->run();
  }
  void until_done() {
    for (int i = 0; i < 100 && let_gone_count == 0; ++i) {
      step();
      scheduler->clock().current_time += back_off::longest;
      scheduler->clock().trigger_expired_timeouts();
      scheduler->run();
    }
  }
  std::optional<parked_node> parked() {
    std::optional<parked_node> out;
    info->session->get(parked_path, nullptr, [&](result<znode> x) {
      if (x)
        out = *decode_parked(x->data);
    });
    network->run();
    return out;
  }
  void decide(parked_decision what) {
    auto node = *parked();
    node.decision = what;
    put(parked_path, encode(node));
  }
  bool released() {
    bool out = false;
    info->session->get(claim_path, nullptr, [&](result<znode> x) {
      out = decode_claim(x->data)->released;
    });
    network->run();
    return out;
  }
};

} // namespace

TEST_CASE_METHOD(leaving_task,
                 "H28: the decision that is written before the "
                 "owner knows that it parked the task stays",
                 "[parked]") {
  let_go();
  step(); // Its claim.
  step(); // No parked node yet.
  service->lose_next_reply(info->session->session_id());
  step();
  REQUIRE(parked() == stop());
  REQUIRE_FALSE(released());
  decide(parked_decision::skip);
  until_done();
  CHECK(let_gone_count == 1);
  CHECK(released());
  REQUIRE(parked());
  CHECK(parked()->decision == parked_decision::skip);
}

TEST_CASE_METHOD(leaving_task,
                 "H28: a parked node that is lost on the way is "
                 "written again before the claim is released",
                 "[parked]") {
  let_go();
  step();
  step();
  service->lose_next_request(info->session->session_id());
  step();
  REQUIRE_FALSE(parked());
  until_done();
  CHECK(released());
  CHECK(parked() == stop());
}

TEST_CASE_METHOD(leaving_task,
                 "H28: a later stop takes the place of one that was decided, "
                 "and keeps what is not carried out",
                 "[parked]") {
  auto earlier = stop();
  earlier.offset = 2;
  earlier.decision = GENERATE(parked_decision::resume, parked_decision::skip);
  make(parked_path, encode(earlier));
  let_go();
  until_done();
  CHECK(released());
  auto wanted = stop();
  wanted.kept = open_decisions(earlier);
  CHECK(wanted.kept.empty() == (earlier.decision == parked_decision::resume));
  CHECK(parked() == wanted);
}

TEST_CASE_METHOD(leaving_task,
                 "the claim of another node of this process is left to it",
                 "[let_go]") {
  claim_node claim;
  claim.producer_id = "weir.t.neighbour";
  claim.member = "m-2";
  claim.epoch = 2;
  put(claim_path, encode(claim));
  living->begin("weir.t.neighbour");
  let_go();
  until_done();
  CHECK(let_gone_count == 1);
  CHECK_FALSE(released());
  CHECK_FALSE(parked());
}

TEST_CASE_METHOD(leaving_task,
                 "H28: a task that somebody else had meanwhile is not parked "
                 "again",
                 "[parked]") {
  // Not ours: its bring-up ended before it claimed.
  claim_node claim;
  claim.producer_id = "weir.t.before";
  claim.epoch = 1;
  claim.released = true;
  put(claim_path, encode(claim));
  let_go();
  step();
  step();
  service->lose_next_reply(info->session->session_id());
  step();
  REQUIRE(parked() == stop());
  // The next owner carries the decision out, and stops in order.
  info->session->remove(parked_path, any_version, [](auto x) { REQUIRE(x); });
  network->run();
  claim.epoch = 2;
  put(claim_path, encode(claim));
  until_done();
  CHECK(let_gone_count == 1);
  CHECK_FALSE(parked());
}
