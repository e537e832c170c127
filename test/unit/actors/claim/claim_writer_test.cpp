// Rule C3: what became of a claim's write is never guessed.
#include <optional>

#include <catch2/catch.hpp>

#include "actors/claim/claim_writer.hpp"
#include "runtime/embedded/coordination/coordination.hpp"
#include "test/manual_executor.hpp"

using namespace weir;

namespace {

const std::string path = "/claim";

/// A session whose requests run when the test says so.
struct claim_writing {
  std::shared_ptr<test::manual_executor> network =
      std::make_shared<test::manual_executor>();
  std::shared_ptr<embedded_coordination> service =
      make_embedded_coordination(nullptr, network);
  std::shared_ptr<coordination> session = std::move(*service->open_session({}));
  std::optional<result<std::int32_t>> answer;
  claim_node claim;

  claim_writing() {
    claim.producer_id = "weir.stock.before";
    claim.epoch = 3;
    write(std::nullopt);
    run();
    REQUIRE(answer);
    REQUIRE(answer->value() == 0);
    claim.producer_id = "weir.stock.mine";
    claim.epoch = 4;
    answer.reset();
  }
  ~claim_writing() { session->close(); }

  void write(std::optional<std::int32_t> version) {
    write_claim(session, path, version, claim,
                [this](auto how) { answer = std::move(how); });
  }
  /// A connection that breaks is there again before the writer hears of it.
  void run() {
    while (network->step())
      service->reconnect(session->session_id());
  }
  claim_node read() {
    claim_node out;
    session->get(path, nullptr,
                 [&](result<znode> x) { out = *decode_claim(x->data); });
    run();
    return out;
  }
};

} // namespace

TEST_CASE_METHOD(claim_writing, "C3: a write whose reply is lost holds",
                 "[claim]") {
  service->lose_next_reply(session->session_id());
  write(0);
  run();
  REQUIRE(answer);
  REQUIRE(answer->value() == 1);
  REQUIRE(read().producer_id == "weir.stock.mine");
}

TEST_CASE_METHOD(claim_writing, "C3: a write that is lost does not hold",
                 "[claim]") {
  service->lose_next_request(session->session_id());
  write(0);
  run();
  REQUIRE(answer);
  REQUIRE(answer->error().code() == ec::version_mismatch);
  REQUIRE(read().producer_id == "weir.stock.before");
}

TEST_CASE_METHOD(claim_writing, "C3: a write over a newer claim fails",
                 "[claim]") {
  write(7);
  run();
  REQUIRE(answer->error().code() == ec::version_mismatch);
  REQUIRE(read().epoch == 3);
}

TEST_CASE_METHOD(claim_writing,
                 "C3: a write that is repeated after a lost reply holds",
                 "[claim]") {
  write(0);
  run();
  REQUIRE(answer->value() == 1);
  answer.reset();
  write(0);
  run();
  REQUIRE(answer->value() == 1);
  REQUIRE(read().epoch == 4);
}
