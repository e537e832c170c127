#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "apps/stock/csv_ticks.hpp"
#include "apps/stock/quote.hpp"
#include "apps/stock/synthetic_ticks.hpp"
#include "test/temporary_directory.hpp"

using namespace stock;

namespace {

/// A file that is removed with its object.
class temporary_file {
public:
  explicit temporary_file(const std::string& content) {
    std::ofstream{path(), std::ios::binary} << content;
  }

  std::string path() const { return directory_.path() + "/ticks.csv"; }

private:
  weir::test::temporary_directory directory_;
};

constexpr auto header = "symbol,date,open,high,low,close,volume\n";

std::string error_of(const std::string& content) {
  temporary_file file{content};
  auto source = csv_ticks::open(file.path());
  std::string key;
  std::string value;
  while (source) {
    auto more = source->next(key, value);
    if (!more)
      return more.error().text();
    REQUIRE(*more);
  }
  return source.error().text();
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a CSV row becomes a tick", "[stock][csv]") {
  temporary_file file{"volume,symbol,close,date\r\n"
                      "9616100,AAPL,130.31,2000-03-01\r\n\r\n"
                      "1,IBM,7,1970-01-01"};
  auto source = csv_ticks::open(file.path());
  REQUIRE(source);
  CHECK_FALSE(source->total());
  std::string key;
  std::string value;
  REQUIRE(source->next(key, value) == true);
  CHECK(key == "AAPL");
  CHECK(value == R"({"symbol":"AAPL","price":130.31,"quantity":9616100,)"
                 R"("ts":951868800000})");
  REQUIRE(source->next(key, value) == true);
  CHECK(value == R"({"symbol":"IBM","price":7,"quantity":1,"ts":0})");
  CHECK(source->next(key, value) == false);
  CHECK(source->next(key, value) == false);
}

TEST_CASE("a fault in a CSV file is named with line and column",
          "[stock][csv]") {
  std::string h = header;
  std::string good = "A,2000-03-01,1,1,1,1,1\n";
  auto check = [](const std::string& got, std::string_view line,
                  std::string_view column) {
    INFO(got);
    CHECK(contains(got, line));
    CHECK(contains(got, column));
  };
  check(error_of(h + good + "A,2000-03-01,1,1,1,x1,1\n"), "line 3", "'close'");
  check(error_of(h + "A,2000-03-01,1,1,1,1x,1\n"), "line 2", "'1x'");
  check(error_of(h + "A,2000-03-01,1,1,1,0,1\n"), "line 2", "'close'");
  check(error_of(h + "A,2000-03-01,1,1,1,inf,1\n"), "line 2", "'close'");
  check(error_of(h + "A,2000-02-30,1,1,1,1,1\n"), "line 2", "'date'");
  check(error_of(h + "A,01.02.2000,1,1,1,1,1\n"), "line 2", "'date'");
  check(error_of(h + "A,2000-03-01,1,1,1,1,1.5\n"), "line 2", "'volume'");
  check(error_of(h + "A,2000-03-01,1,1,1,1,-1\n"), "line 2", "'volume'");
  check(error_of(h + ",2000-03-01,1,1,1,1,1\n"), "line 2", "'symbol'");
  check(error_of(h + "A,2000-03-01,1,1,1,1\n"), "line 2", "6 fields");
  check(error_of(h + "\"A\",2000-03-01,1,1,1,1,1\n"), "line 2", "quotes");
  check(error_of("symbol,date,close\n"), "line 1", "'volume'");
  check(error_of(""), "empty", "");
}

TEST_CASE("a CSV file that is not there is named", "[stock][csv]") {
  auto source = csv_ticks::open("/nowhere/stocks.csv");
  REQUIRE_FALSE(source);
  CHECK(source.error().code() == weir::ec::bad_argument);
  CHECK(contains(source.error().text(), "/nowhere/stocks.csv"));
}

TEST_CASE("a directory is no CSV file", "[stock][csv]") {
  auto source = csv_ticks::open(std::filesystem::temp_directory_path());
  REQUIRE_FALSE(source);
  CHECK(source.error().code() == weir::ec::bad_argument);
  CHECK(contains(source.error().text(), "is a directory"));
}

TEST_CASE("the bundled file is read whole and every tick of it is good",
          "[stock][csv]") {
  auto source = csv_ticks::open(WEIR_STOCKS_CSV);
  REQUIRE(source);
  weir::json<tick> format;
  tick x;
  std::map<std::string, quote> state;
  std::string key;
  std::string value;
  std::size_t rows = 0;
  for (;; ++rows) {
    auto more = source->next(key, value);
    REQUIRE(more);
    if (!*more)
      break;
    REQUIRE(format.decode(value, x));
    REQUIRE(check(key, x));
    REQUIRE(apply(x, state[key]));
  }
  CHECK(rows == 12'154);
  CHECK(state.size() == 5);
  CHECK(state["AAPL"].price == 430.47);
  CHECK(state["FB"].price == 27.78);
}

TEST_CASE("synthetic ticks depend on their options alone",
          "[stock][synthetic]") {
  auto all = [](std::uint64_t seed) {
    auto source = synthetic_ticks::make({500, 20, seed});
    REQUIRE(source);
    std::string out;
    std::string key;
    std::string value;
    while (source->next(key, value).value())
      out += key + ' ' + value + '\n';
    return out;
  };
  CHECK(all(1) == all(1));
  CHECK(all(1) != all(2));
  CHECK(contains(all(1), "SYM0000 {\"symbol\":\"SYM0000\",\"price\":"));
}

TEST_CASE("synthetic ticks are good, skewed and of the promised size",
          "[stock][synthetic]") {
  constexpr std::uint64_t count = 100'000;
  constexpr std::size_t symbols = 2'000;
  auto source = synthetic_ticks::make({count, symbols, 7});
  REQUIRE(source);
  CHECK(source->total() == count);
  weir::json<tick> format;
  tick x;
  std::map<std::string, std::uint64_t> drawn;
  std::string key;
  std::string value;
  std::uint64_t made = 0;
  std::size_t bytes = 0;
  for (; source->next(key, value).value(); ++made) {
    ++drawn[key];
    bytes += value.size();
    auto read = format.decode(value, x);
    if (!read)
      FAIL(value << ": " << read.error().text());
    CHECK(check(key, x));
    if (x.quantity < 1 || x.quantity > 1000)
      FAIL(value);
  }
  CHECK(made == count);
  CHECK(bytes / count >= 85);
  CHECK(bytes / count <= 110);
  CHECK(drawn.size() > symbols * 9 / 10);
  CHECK(drawn.rbegin()->first <= "SYM1999");
  // Weights 1 / (i + 1)^0.9 over 2,000 symbols: 8.36 % and 1.05 % of all.
  CHECK(drawn["SYM0000"] / double(count) == Approx(0.0836).epsilon(0.05));
  CHECK(drawn["SYM0009"] / double(count) == Approx(0.0105).epsilon(0.1));
}

TEST_CASE("synthetic ticks need symbols that fit in memory",
          "[stock][synthetic]") {
  for (std::uint32_t symbols : {0u, 10'000'001u, UINT32_MAX}) {
    auto source = synthetic_ticks::make({1, symbols, 1});
    REQUIRE_FALSE(source);
    CHECK(source.error().code() == weir::ec::bad_argument);
    CHECK(source.error().text() == "--symbols must be 1 to 10000000");
  }
}
