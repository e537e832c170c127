#include <unistd.h>

#include <catch2/catch.hpp>

#include "actors/claim/claim.hpp"
#include "actors/host/systems.hpp"

using namespace weir;
using step = claim_decision::step;

namespace {

struct claim_fixture {
  std::set<std::string> fenced;
  std::set<std::string> living;
  std::set<std::string> members{"m-other", "m-self"};
  bool alive = true;
  claim_node claim;

  claim_fixture() {
    claim.producer_id = "weir.stock.other";
    claim.epoch = 4;
    claim.member = "m-other";
    claim.process = {"host-b", "boot-b", 7, 99, "table"};
  }

  claim_view view() {
    claim_view out;
    out.job = "stock";
    out.own_id = "weir.stock.mine";
    out.fenced = &fenced;
    out.living = &living;
    out.members = &members;
    out.self = {"host-a", "boot-a", 1, 10, "table"};
    out.context = this;
    out.process_exists = [](void* self, const process_identity&) {
      return static_cast<claim_fixture*>(self)->alive;
    };
    return out;
  }
};

} // namespace

TEST_CASE_METHOD(claim_fixture, "a live owner is waited for, and named",
                 "[claim]") {
  auto x = decide_claim(claim, view());
  REQUIRE(x.what == step::wait);
  REQUIRE(x.reason.find("process 7 on host-b") != std::string::npos);
}

TEST_CASE_METHOD(claim_fixture,
                 "C1: an unreleased id is fenced before the "
                 "claim is set",
                 "[claim]") {
  members.erase("m-other");
  auto x = decide_claim(claim, view());
  REQUIRE(x.what == step::fence);
  REQUIRE(x.fence_id == "weir.stock.other");
  fenced.insert("weir.stock.other");
  REQUIRE(decide_claim(claim, view()).what == step::take);
}

TEST_CASE_METHOD(claim_fixture, "C2: a released claim is taken without a fence",
                 "[claim]") {
  claim.released = true;
  REQUIRE(decide_claim(claim, view()).what == step::take);
  // Also by the lane that released it: it comes back only by a write.
  claim.producer_id = "weir.stock.mine";
  REQUIRE(decide_claim(claim, view()).what == step::take);
}

TEST_CASE_METHOD(claim_fixture,
                 "C5: a dead process of this host and boot is "
                 "known to be dead at once",
                 "[claim]") {
  claim.process = {"host-a", "boot-a", 7, 99, "table"};
  REQUIRE(decide_claim(claim, view()).what == step::wait);
  alive = false;
  REQUIRE(decide_claim(claim, view()).what == step::fence);
  SECTION("but not one of another boot") {
    claim.process.boot_id = "boot-before";
    REQUIRE(decide_claim(claim, view()).what == step::wait);
  }
  SECTION("but not one of another container with the host's name") {
    claim.process.pid_namespace = "another table";
    REQUIRE(decide_claim(claim, view()).what == step::wait);
  }
  SECTION("but not one that does not say which table it is in") {
    claim.process.pid_namespace.clear();
    REQUIRE(decide_claim(claim, view()).what == step::wait);
    auto unknown = view();
    unknown.self.pid_namespace.clear();
    REQUIRE(decide_claim(claim, unknown).what == step::wait);
  }
}

TEST_CASE_METHOD(claim_fixture,
                 "C3: the own current id is never fenced, the "
                 "own earlier ones always",
                 "[claim]") {
  claim.producer_id = "weir.stock.mine";
  REQUIRE(decide_claim(claim, view()).what == step::held);
  claim.producer_id = "weir.stock.before";
  claim.member = "m-self";
  claim.process = view().self;
  living.insert("weir.stock.before");
  REQUIRE(decide_claim(claim, view()).what == step::wait);
  living.clear();
  REQUIRE(decide_claim(claim, view()).what == step::fence);
}

TEST_CASE_METHOD(claim_fixture, "C4: a missing claim is not simply taken",
                 "[claim]") {
  REQUIRE(decide_claim(std::nullopt, view()).what == step::create);
}

TEST_CASE_METHOD(claim_fixture, "C8: an id of another job is refused",
                 "[claim]") {
  members.clear();
  claim.producer_id = "weir.stocks.other";
  auto x = decide_claim(claim, view());
  REQUIRE(x.what == step::refuse);
  REQUIRE(x.reason.find("weir.stocks.other") != std::string::npos);
}

TEST_CASE_METHOD(claim_fixture,
                 "the next claim has the next epoch and keeps "
                 "what the task has been through",
                 "[claim]") {
  claim.born = true;
  claim.floor = 12;
  auto next = next_claim(claim, view(), "m-self", "gen", 8, 0);
  REQUIRE(next.epoch == 5);
  REQUIRE(next.born);
  REQUIRE(next.floor == 12);
  REQUIRE_FALSE(next.released);
  REQUIRE(next.producer_id == "weir.stock.mine");
  REQUIRE(next_claim(claim, view(), "m-self", "gen", 8, 9).epoch == 9);
}

TEST_CASE_METHOD(claim_fixture, "C3: only the very write proves itself",
                 "[claim]") {
  auto written = next_claim(claim, view(), "m-self", "gen", 8, 0);
  REQUIRE(proves_claim(written, written));
  auto other = written;
  ++other.epoch;
  REQUIRE_FALSE(proves_claim(other, written));
  other = written;
  other.released = true;
  REQUIRE_FALSE(proves_claim(other, written));
  REQUIRE_FALSE(proves_claim(claim, written));
}

TEST_CASE_METHOD(claim_fixture, "H18: a claim is held by id and epoch",
                 "[claim]") {
  auto mine = next_claim(claim, view(), "m-self", "gen", 8, 0);
  auto read = mine;
  read.born = true;
  CHECK(is_still_held(read, mine));
  read.member = "m-other";
  CHECK(is_still_held(read, mine));
  // Of one's own member: another lane, or a later claim of this one.
  read = mine;
  read.producer_id = "weir.stock.next";
  CHECK_FALSE(is_still_held(read, mine));
  read = mine;
  ++read.epoch;
  CHECK_FALSE(is_still_held(read, mine));
  read = mine;
  read.released = true;
  CHECK_FALSE(is_still_held(read, mine));
}

TEST_CASE("C5: this process names its table", "[claim]") {
  auto world = make_outside_world();
  auto self = identify_process(*world);
  REQUIRE(self.pid == getpid());
  REQUIRE(self.pid_namespace.starts_with("pid:["));
  REQUIRE(shares_process_table(self, self));
}

TEST_CASE("znodes survive their JSON, and hostile JSON is refused", "[claim]") {
  claim_node claim;
  claim.producer_id = "weir.stock.ab";
  claim.epoch = 77;
  claim.born = true;
  claim.generation = "g";
  claim.process = {"h", "b", 3, 4, "n"};
  auto text = encode(claim);
  auto read = decode_claim(text);
  REQUIRE(read);
  REQUIRE(encode(*read) == text);
  REQUIRE(read->process == claim.process);
  // As it was written before processes named their namespace.
  auto field = std::string{",\"pid_namespace\":\"n\""};
  auto old = text;
  old.erase(old.find(field), field.size());
  read = decode_claim(old);
  REQUIRE(read);
  REQUIRE(read->process == process_identity{"h", "b", 3, 4, ""});
  for (auto bad : {"", "[]", "{}", "{\"format\":1}", "{\"format\":\"1\"}"})
    REQUIRE(decode_claim(bad).error().code() == ec::bad_format);
  REQUIRE(decode_claim("{\"format\":2}").error().text().find("format 2") !=
          std::string::npos);

  auto config = decode_config(
      R"({"check_interval":"50ms","sync_interval":7,"colour":"red"})");
  REQUIRE(config.check_interval == milliseconds{50});
  REQUIRE_FALSE(config.sync_interval);
  REQUIRE(config.ignored.size() == 2);
}
