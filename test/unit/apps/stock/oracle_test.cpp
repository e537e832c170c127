// The test of the tests: what judges runs of the stock job finds every fault.
#include "test/integration/stock_oracle.hpp"

#include <map>
#include <sstream>

#include <catch2/catch.hpp>

#include "apps/stock/quote.hpp"

using weir::test::stock_oracle;

namespace {

struct emitted {
  std::string key;
  std::string value;
  std::int64_t timestamp;
  int partition;
};

/// Three keys, twelve ticks each, as the application would answer them.
struct run_of_job {
  std::vector<emitted> outputs;
  std::map<std::string, stock::quote> state;

  explicit run_of_job(stock_oracle& oracle) {
    weir::json<stock::tick> format;
    stock::tick tick;
    for (int i = 0; i < 36; ++i) {
      auto key = std::string(1, static_cast<char>('A' + i % 3));
      auto value = "{\"symbol\":\"" + key +
                   "\",\"price\":" + std::to_string(10 + i * 7 % 5) +
                   ".25,\"quantity\":" + std::to_string(i % 4) + ",\"ts\":1}";
      oracle.input({key, value, 1000 + i, i % 3});
      REQUIRE(format.decode(value, tick));
      auto& now = state[key];
      REQUIRE(stock::apply(tick, now));
      outputs.push_back({key,
                         weir::encode<weir::json<stock::change>>(
                             {key, now.price, now.quantity, now.change_rate}),
                         1000 + i, i % 3});
    }
  }

  std::string dump() const {
    std::string out;
    for (auto& [key, quote] : state)
      out += "{\"key\":\"" + key +
             "\",\"value\":" + weir::encode<weir::json<stock::quote>>(quote) +
             "}\n";
    return out;
  }
};

void give(stock_oracle& oracle, const std::vector<emitted>& outputs) {
  for (auto& x : outputs)
    oracle.output({x.key, x.value, x.timestamp, x.partition});
  oracle.outputs_end();
}

/// Whether a run that `change` spoils is found faulty.
template <class Change>
bool finds(Change change, bool at_least_once = false) {
  stock_oracle oracle{{at_least_once, false}};
  run_of_job run{oracle};
  change(run.outputs);
  give(oracle, run.outputs);
  CHECK(oracle.texts().size() ==
        std::min<std::uint64_t>(oracle.failures(), 10));
  return oracle.failures() > 0;
}

bool finds_in_state(const std::string& from, const std::string& to) {
  stock_oracle oracle{{}};
  run_of_job run{oracle};
  auto dump = run.dump();
  auto at = dump.find(from);
  REQUIRE(at != std::string::npos);
  dump.replace(at, from.size(), to);
  std::istringstream in{dump};
  oracle.state(in);
  return oracle.failures() > 0;
}

} // namespace

TEST_CASE("a right run of the stock job passes", "[oracle]") {
  for (bool at_least_once : {false, true}) {
    stock_oracle oracle{{at_least_once, false}};
    run_of_job run{oracle};
    give(oracle, run.outputs);
    std::istringstream in{run.dump()};
    oracle.state(in);
    CHECK(oracle.failures() == 0);
    CHECK(oracle.inputs() == 36);
    CHECK(oracle.outputs() == 36);
    CHECK(oracle.repeated() == 0);
    CHECK(oracle.keys() == 3);
  }
}

TEST_CASE("a wrong output is found", "[oracle]") {
  using outputs = std::vector<emitted>;
  for (bool mode : {false, true}) {
    CHECK(finds([](outputs& x) { x.pop_back(); }, mode));
    CHECK(finds([](outputs& x) { x.erase(x.begin()); }, mode));
    CHECK(finds([](outputs& x) { x.erase(x.begin() + 17); }, mode));
    CHECK(finds([](outputs& x) { std::swap(x[15], x[18]); }, mode));
    CHECK(finds([](outputs& x) { x[9].timestamp += 1; }, mode));
    CHECK(finds([](outputs& x) { x[9].partition = 1; }, mode));
    CHECK(finds([](outputs& x) { x[9].key = "B"; }, mode));
    CHECK(finds([](outputs& x) { x[9].value = "{}"; }, mode));
    CHECK(finds([](outputs& x) { x[9].value.insert(1, "\"x\":1,"); }, mode));
    CHECK(finds(
        [](outputs& x) {
          auto at = x[9].value.find(".25");
          x[9].value.replace(at, 3, ".26");
        },
        mode));
    CHECK(finds([](outputs& x) { x.clear(); }, mode));
  }
}

TEST_CASE("a repeated output is a fault only in exactly-once mode",
          "[oracle]") {
  auto repeat_one = [](std::vector<emitted>& x) {
    x.insert(x.begin() + 8, x[7]);
  };
  CHECK(finds(repeat_one));
  CHECK_FALSE(finds(repeat_one, true));
  auto repeat_tail = [](std::vector<emitted>& x) {
    auto tail = std::vector(x.begin() + 10, x.end());
    x.insert(x.end(), tail.begin(), tail.end());
  };
  CHECK(finds(repeat_tail));
  CHECK_FALSE(finds(repeat_tail, true));
  // Going back, and then leaving one out.
  CHECK(finds(
      [](std::vector<emitted>& x) {
        auto from = std::vector(x.begin() + 6, x.begin() + 9);
        x.insert(x.begin() + 12, from.begin(), from.end());
        x.erase(x.begin() + 15);
      },
      true));
}

TEST_CASE("a wrong state is found", "[oracle]") {
  CHECK(finds_in_state("\"quantity\":", "\"quantity\":1"));
  CHECK(finds_in_state("\"price\":1", "\"price\":2"));
  CHECK(finds_in_state("\"change_rate\":", "\"change_rate\":1"));
  CHECK(finds_in_state("\"key\":\"B\"", "\"key\":\"D\""));
  CHECK(finds_in_state("\"key\":\"B\"", "\"key\":\"A\""));
  CHECK(finds_in_state("{\"key\":\"A\"", "{\"yek\":\"A\""));
  stock_oracle oracle{{}};
  run_of_job run{oracle};
  std::istringstream none;
  oracle.state(none);
  CHECK(oracle.failures() == 1);
}

TEST_CASE("an input that is no tick is a fault unless it may be skipped",
          "[oracle]") {
  for (auto bad :
       {"hello", "{}", R"({"symbol":"B","price":1,"quantity":1})",
        R"({"symbol":"A","price":0,"quantity":1})",
        R"({"symbol":"A","price":1,"quantity":1.0})",
        R"({"symbol":"A","price":1,"quantity":18446744073709551615})",
        R"({"symbol":"A","price":1,"quantity":-1})"}) {
    INFO(bad);
    stock_oracle strict{{}};
    strict.input({"A", bad, 1, 0});
    CHECK(strict.failures() == 1);
    stock_oracle skipping{{false, true}};
    skipping.input({"A", bad, 1, 0});
    skipping.outputs_end();
    std::istringstream none;
    skipping.state(none);
    CHECK(skipping.failures() == 0);
    CHECK(skipping.skipped() == 1);
  }
}
