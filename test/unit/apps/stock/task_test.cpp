// The stock application as a whole, in the test driver.
#include "apps/stock/stock_task.hpp"

#include <catch2/catch.hpp>

#include <weir/testing.hpp>

using namespace stock;
using weir::testing::driver;
using weir::testing::driver_options;

namespace {

/// A `change` that owns its text.
struct told {
  std::string symbol;
  double price = 0;
  std::int64_t quantity = 0;
  double change_rate = 0;
  friend bool operator==(const told&, const told&) = default;
};
WEIR_FIELDS(told, symbol, price, quantity, change_rate)

constexpr weir::output<std::string, weir::json<told>> told_changes{"changes"};

driver_options on_bad(weir::bad_record_policy what) {
  driver_options out;
  out.on_bad_record = what;
  return out;
}

driver make(driver_options how = {}) {
  return driver{weir::job{"stock", ticks, quotes, changes},
                weir::task_of<stock_task>(), how};
}

} // namespace

TEST_CASE("each tick tells its symbol's price, sum and change rate",
          "[stock][task]") {
  auto job = make();
  job.produce(ticks, "A", {"A", 100, 10});
  job.produce(ticks, "B", {"B", 5, 1});
  job.produce(ticks, "A", {"A", 110, 5});
  job.run();
  CHECK(job.get(quotes, "A") == quote{110, 15, (110.0 - 100.0) / 100.0 * 100});
  CHECK(job.get(quotes, "B") == quote{5, 1, 0});
  CHECK_FALSE(job.get(quotes, "C"));
  auto last = job.table(told_changes);
  CHECK(last.at("A") == told{"A", 110, 15, (110.0 - 100.0) / 100.0 * 100});
  CHECK(job.read(told_changes).size() == 3);
}

TEST_CASE("what is no tick is passed over, with its reason", "[stock][task]") {
  auto job = make(on_bad(weir::bad_record_policy::skip));
  job.produce_raw(ticks, "A", R"({"symbol":"A"})");
  job.produce_raw(ticks, "A", "no json");
  job.produce_raw(ticks, "A", std::nullopt);
  job.produce(ticks, "A", {"B", 100, 10});
  job.produce(ticks, "A", {"A", 100, 10});
  job.run();
  CHECK(job.get(quotes, "A") == quote{100, 10, 0});
  REQUIRE(job.bad().size() == 4);
  CHECK_THAT(job.bad()[0].reason, Catch::Contains("price"));
  CHECK_THAT(job.bad()[2].reason, Catch::Contains("no value"));
  CHECK_THAT(job.bad()[3].reason, Catch::Contains("symbol"));
}

TEST_CASE("a crash after any step leaves the same quotes and changes",
          "[stock][task]") {
  std::uint64_t steps = 0;
  auto run = [&steps](std::uint64_t crash_after) {
    driver_options how;
    how.partitions = 2;
    how.crash_after = crash_after;
    auto job = make(how);
    for (auto price : {100, 110, 55})
      for (auto symbol : {"A", "B", "C"})
        job.produce(ticks, symbol, {symbol, static_cast<double>(price), 1});
    job.run();
    if (crash_after == 0)
      steps = job.steps();
    return std::pair{job.all(quotes), job.table(told_changes)};
  };
  auto right = run(0);
  CHECK(right.first.at("B") == quote{55, 3, -50});
  for (std::uint64_t after = 1; after <= steps; ++after) {
    INFO("crash after step " << after << " of " << steps);
    CHECK(run(after) == right);
  }
}
