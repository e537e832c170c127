#include "apps/stock/tick.hpp"

#include <iterator>
#include <random>
#include <set>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using weir::ec;

/// What the job's input does with a value, and the task with a tick.
class tick_parser {
public:
  weir::result<stock::tick> parse(std::string_view key,
                                  std::string_view value) {
    if (auto done = format_.decode(value, x_); !done)
      return weir::fail(done.error());
    if (auto good = stock::check(key, x_); !good)
      return weir::fail(good.error());
    return x_;
  }

private:
  weir::json<stock::tick> format_;
  stock::tick x_;
};

namespace {

std::string reason(std::string_view key, std::string_view value) {
  tick_parser parser;
  auto got = parser.parse(key, value);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == ec::bad_format);
  return got.error().text();
}

/// The same by a parser that shares no code with the application's. Numbers of
/// more than 64 bits apart, which it takes.
std::optional<stock::tick> expected(std::string_view key,
                                    std::string_view value) {
  auto document = nlohmann::json::parse(value, nullptr, false);
  if (!document.is_object())
    return std::nullopt;
  auto none = nlohmann::json{};
  auto field = [&](const char* name) -> const nlohmann::json& {
    auto found = document.find(name);
    return found == document.end() ? none : *found;
  };
  auto& symbol = field("symbol");
  auto& price = field("price");
  auto& quantity = field("quantity");
  if (!symbol.is_string() || symbol.get_ref<const std::string&>() != key ||
      !price.is_number() || !(price.get<double>() > 0) ||
      !quantity.is_number_integer() || quantity.get<std::int64_t>() < 0)
    return std::nullopt;
  return stock::tick{key, price.get<double>(), quantity.get<std::int64_t>()};
}

bool has_field_twice(std::string_view text) {
  for (std::string_view name : {"symbol", "price", "quantity", "rice"}) {
    auto first = text.find(name);
    if (first != text.npos && text.find(name, first + 1) != text.npos)
      return true;
  }
  return false;
}

/// Replaces, removes or adds one piece of JSON somewhere.
std::string damaged(std::string text, std::mt19937_64& random) {
  static const std::string pieces[] = {"{",
                                       "}",
                                       "[",
                                       "]",
                                       "\"",
                                       ",",
                                       ":",
                                       "\\",
                                       " ",
                                       "\n",
                                       "\t",
                                       "0",
                                       "1",
                                       "9",
                                       "-",
                                       "+",
                                       ".",
                                       "e",
                                       "E5",
                                       "a",
                                       "\x1f",
                                       "\xff",
                                       "\\\"",
                                       "\\u0041",
                                       "true",
                                       "nul",
                                       "null",
                                       "{}",
                                       "[]",
                                       "[1]",
                                       "\xc3\xa9",
                                       "price",
                                       "1e400",
                                       "\\u0070rice",
                                       "\"price\":\"4\",",
                                       "\"quantity\":\"4\",",
                                       "\"quantity\":1e3,",
                                       "\"symbol\":5,"};
  auto at = random() % (text.size() + 1);
  auto& piece = pieces[random() % std::size(pieces)];
  switch (random() % 3) {
  case 0:
    return text.insert(at, piece);
  case 1:
    return text.erase(at, 1);
  default:
    return text.replace(at, piece.size(), piece);
  }
}

} // namespace

TEST_CASE("a tick is read from key and JSON", "[stock][tick]") {
  tick_parser parser;
  auto got = parser.parse(
      "AAPL", R"({"symbol":"AAPL","price":430.47,"quantity":19730300,"ts":1})");
  REQUIRE(got);
  CHECK(got->price == 430.47);
  CHECK(got->quantity == 19730300);
}

TEST_CASE("a tick's other fields are ignored", "[stock][tick]") {
  tick_parser parser;
  auto got = parser.parse("A", R"( {"x":[1,{"price":"no"}],"quantity":0,
    "price":7,"symbol":"\u0041","side":null,"quantity_":-1.5} )");
  REQUIRE(got);
  CHECK(got->price == 7.0);
  CHECK(got->quantity == 0);
}

TEST_CASE("a field that appears twice is refused", "[stock][tick]") {
  CHECK(reason("A", R"({"symbol":"A","price":1,"price":1,"quantity":3})") ==
        "field 'price' stands twice");
}

TEST_CASE("the largest quantity is taken", "[stock][tick]") {
  tick_parser parser;
  auto got = parser.parse(
      "A", R"({"symbol":"A","price":1e-300,"quantity":9223372036854775807})");
  REQUIRE(got);
  CHECK(got->quantity == INT64_MAX);
}

TEST_CASE("one parser reads records of every size and goes on after a bad one",
          "[stock][tick]") {
  tick_parser parser;
  for (std::size_t size : {1u, 63u, 64u, 65u, 5'000u, 300'000u, 2u}) {
    // Exactly as long as its bytes: a read behind the end shows under asan.
    std::string value = R"({"symbol":"A","price":1,"quantity":2,"x":")" +
                        std::string(size, 'y') + "\"}";
    std::unique_ptr<char[]> exact{new char[value.size()]};
    value.copy(exact.get(), value.size());
    CHECK(parser.parse("A", std::string_view{exact.get(), value.size()}));
    CHECK_FALSE(parser.parse("A", value.substr(0, value.size() - 1)));
  }
}

TEST_CASE("each fault of a tick has its own reason", "[stock][tick]") {
  auto good = R"({"symbol":"A","price":1,"quantity":2})";
  std::vector<std::string> reasons{
      reason("", good),
      reason("A", "[1]"),
      reason("A", R"({"price":1,"quantity":2})"),
      reason("A", R"({"symbol":1,"price":1,"quantity":2})"),
      reason("A", R"({"symbol":"B","price":1,"quantity":2})"),
      reason("A", R"({"symbol":"A","quantity":2})"),
      reason("A", R"({"symbol":"A","price":"1","quantity":2})"),
      reason("A", R"({"symbol":"A","price":0,"quantity":2})"),
      reason("A", R"({"symbol":"A","price":1})"),
      reason("A", R"({"symbol":"A","price":1,"quantity":2.0})"),
      reason("A", R"({"symbol":"A","price":1,"quantity":-2})"),
      reason("A", R"({"symbol":"A","price":1,"quantity":9223372036854775808})"),
  };
  for (auto& x : reasons)
    INFO(x);
  CHECK(std::set<std::string>(reasons.begin(), reasons.end()).size() ==
        reasons.size());
  CHECK(reason("A", "") == "the document is not valid JSON");
  CHECK(reason("A", "hello") == reasons[1]);
  CHECK(reason("A", R"({"symbol":"A","price":-1,"quantity":2})") == reasons[7]);
  CHECK(reason("A", R"({"symbol":"A","price":-0.0,"quantity":2})") ==
        reasons[7]);
}

TEST_CASE("the whole document must be valid JSON", "[stock][tick]") {
  for (auto text :
       {R"({"symbol":"A","price":1,"quantity":2)",
        R"({"symbol":"A","price":1,"quantity":2}})",
        R"({"symbol":"A","price":1,"quantity":2} {})",
        R"({"symbol":"A","price":1,"quantity":2,})",
        R"({"symbol":"A","price":1,"quantity":2,"x":tru})",
        R"({"symbol":"A","price":1,"quantity":2,"x":01})",
        R"({"symbol":"A","price":NaN,"quantity":2})",
        R"({"symbol":"A","price":1e999,"quantity":2})",
        "{\"symbol\":\"A\",\"price\":1,\"quantity\":2,\"x\":\"\xff\"}"}) {
    INFO(text);
    CHECK_FALSE(reason("A", text).empty());
  }
}

TEST_CASE("a damaged tick is read as another parser reads it",
          "[stock][tick]") {
  const std::string whole[] = {
      R"({"symbol":"A","price":430.47,"quantity":197,"ts":15,"side":"B"})",
      R"( {"x":null, "price":7 ,"quantity":0,"symbol":"A","y":-1.5e3} )",
      R"({"symbol":"A","price":1,"quantity":2,"z":{"price":[true,false]}})",
      R"({"price":3,"symbol":"B","symbol":"A","quantity":"5","quantity":5})"};
  std::mt19937_64 random{20261126};
  tick_parser parser;
  int taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto text = whole[random() % std::size(whole)];
    for (auto left = random() % 3; left > 0; --left)
      text = damaged(std::move(text), random);
    INFO(text);
    auto got = parser.parse("A", text);
    auto wanted = expected("A", text);
    // The other parser takes the last of two equal fields.
    if (has_field_twice(text)) {
      CHECK_FALSE((got && !wanted));
      continue;
    }
    if (got.has_value() != wanted.has_value())
      FAIL((got ? "taken" : got.error().text()));
    if (!got)
      continue;
    ++taken;
    if (got->price != wanted->price || got->quantity != wanted->quantity)
      FAIL("another value");
  }
  // Neither are all of them taken nor none.
  CHECK(taken > 30'000);
  CHECK(taken < 150'000);
}
