#include "apps/stock/quote.hpp"

#include <limits>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace stock;

namespace {

std::string told(std::string_view symbol, const quote& x) {
  return weir::encode<weir::json<change>>(
      {symbol, x.price, x.quantity, x.change_rate});
}

} // namespace

TEST_CASE("the first tick has a change rate of 0", "[stock][quote]") {
  quote state;
  REQUIRE(apply({"A", 130.31, 100}, state));
  CHECK(state == quote{130.31, 100, 0});
}

TEST_CASE("ticks change price, sum and change rate", "[stock][quote]") {
  quote state{100, 10, 3};
  REQUIRE(apply({"A", 110, 5}, state));
  CHECK(state == quote{110, 15, (110.0 - 100.0) / 100.0 * 100});
  REQUIRE(apply({"A", 55, 0}, state));
  CHECK(state == quote{55, 15, -50});
}

TEST_CASE("a sum that overflows is refused and changes nothing",
          "[stock][quote]") {
  quote state{100, INT64_MAX - 1, 3};
  REQUIRE(apply({"A", 100, 1}, state));
  auto before = state;
  auto got = apply({"A", 101, 1}, state);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == weir::ec::bad_format);
  CHECK(got.error().text().find("quantity") != std::string::npos);
  CHECK(state == before);
}

TEST_CASE("a change rate that no double holds is refused", "[stock][quote]") {
  quote state{1e-300, 1, 0};
  auto before = state;
  auto got = apply({"A", 1e300, 1}, state);
  REQUIRE_FALSE(got);
  CHECK(got.error().text().find("change rate") != std::string::npos);
  CHECK(state == before);
}

TEST_CASE("a change is printed in the fixed form", "[stock][quote]") {
  CHECK(told("AAPL", {430.47, 19730300, -2.4}) ==
        R"({"symbol":"AAPL","price":430.47,"quantity":19730300,)"
        R"("change_rate":-2.4})");
}

TEST_CASE("every symbol is printed as valid JSON", "[stock][quote]") {
  for (std::string symbol :
       {std::string{"plain"}, std::string{"a\"b\\c/d"},
        std::string{"\n\r\t\x01\x1f"}, std::string{"nul\0in", 6},
        std::string{"\xc3\xa9\xe2\x82\xac"}}) {
    auto read = nlohmann::json::parse(told(symbol, {1.5, 2, 0}));
    CHECK(read["symbol"].get<std::string>() == symbol);
    CHECK(read.size() == 4);
  }
}

TEST_CASE("printed numbers read back as the same, at their longest too",
          "[stock][quote]") {
  constexpr double most = std::numeric_limits<double>::max();
  for (quote x :
       {quote{most, INT64_MAX, -most},
        quote{std::numeric_limits<double>::denorm_min(), 0,
              -std::numeric_limits<double>::denorm_min()},
        quote{0.1 + 0.2, 123, -1.2345678901234567e-289}, quote{1, 1, 100}}) {
    auto read = nlohmann::json::parse(told("A", x));
    CHECK(read["price"].get<double>() == x.price);
    CHECK(read["quantity"].get<std::int64_t>() == x.quantity);
    CHECK(read["change_rate"].get<double>() == x.change_rate);
    CHECK(weir::decode<weir::json<quote>>(weir::encode<weir::json<quote>>(x))
              .value() == x);
    std::string bytes;
    weir::serde<quote>::encode(x, bytes);
    quote stored;
    CHECK(weir::serde<quote>::decode(bytes, stored));
    CHECK(stored == x);
  }
}

TEST_CASE("the stored form of a quote is fixed", "[stock][quote]") {
  std::string bytes;
  weir::serde<quote>::encode({1.0, 0x0102030405060708, -2.0}, bytes);
  CHECK(bytes == std::string("\x00\x00\x00\x00\x00\x00\xf0\x3f"
                             "\x08\x07\x06\x05\x04\x03\x02\x01"
                             "\x00\x00\x00\x00\x00\x00\x00\xc0",
                             24));
  quote state{1, 2, 3};
  CHECK_FALSE(weir::serde<quote>::decode(bytes.substr(1), state));
  CHECK_FALSE(weir::serde<quote>::decode(bytes + "x", state));
  CHECK(state == quote{1, 2, 3});
}
