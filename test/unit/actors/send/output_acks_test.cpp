#include "actors/send/lane_producers.hpp"

#include <cstring>
#include <new>
#include <thread>

#include <catch2/catch.hpp>

using namespace weir;

namespace {

error lost() {
  return {ec::timed_out, "not delivered"};
}

/// How often the commit's outputs were said to be settled, and how.
struct settled {
  output_acks::callback note() {
    return [this](result<void> x) {
      ++times;
      how = std::move(x);
    };
  }

  int times = 0;
  result<void> how;
};

} // namespace

TEST_CASE("outputs are settled by the last answer or by the close, once",
          "[output_acks]") {
  settled seen;
  output_acks acks;
  SECTION("the answers come first") {
    acks.sent();
    acks.sent();
    acks.delivered(0);
    acks.delivered(1);
    CHECK_FALSE(acks.settled());
    acks.close(seen.note());
  }
  SECTION("the close comes first") {
    acks.sent();
    acks.sent();
    acks.close(seen.note());
    acks.delivered(0);
    CHECK(seen.times == 0);
    CHECK_FALSE(acks.settled());
    acks.delivered(1);
  }
  SECTION("nothing was sent") {
    acks.close(seen.note());
  }
  CHECK(seen.times == 1);
  CHECK(seen.how);
  CHECK(acks.settled());
}

TEST_CASE("the first failure of an output is told once all are answered",
          "[output_acks]") {
  settled seen;
  output_acks acks;
  acks.sent();
  acks.sent();
  acks.sent();
  acks.delivered(0);
  acks.failed(lost());
  acks.close(seen.note());
  CHECK(seen.times == 0);
  acks.failed({ec::io_error, "the second"});
  REQUIRE(seen.times == 1);
  REQUIRE_FALSE(seen.how);
  CHECK(seen.how.error().code() == ec::timed_out);
}

TEST_CASE("who sees outputs settled may let go of them", "[output_acks]") {
  // The last answers come from two threads of the client while a third closes.
  constexpr int rounds = 300'000;
  alignas(output_acks) std::byte room[sizeof(output_acks)];
  std::atomic<output_acks*> now{nullptr};
  std::atomic<int> round{0}, at_work{0};
  auto answer = [&] {
    for (int i = 1; i <= rounds; ++i) {
      while (round != i)
        std::this_thread::yield();
      now.load()->delivered(i);
      --at_work;
    }
  };
  std::thread first{answer}, second{answer};
  int told = 0;
  for (int i = 1; i <= rounds; ++i) {
    auto* acks = new (room) output_acks;
    acks->sent();
    acks->sent();
    now = acks;
    at_work = 2;
    round = i;
    acks->close([&](result<void>) { ++told; });
    while (!acks->settled())
      std::this_thread::yield();
    acks->~output_acks();
    // Whoever still looks finds a lock that is none.
    std::memset(room, 0xff, sizeof room);
    while (at_work != 0)
      std::this_thread::yield();
  }
  first.join();
  second.join();
  CHECK(told == rounds);
}
