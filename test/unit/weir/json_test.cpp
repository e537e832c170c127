#include <cmath>
#include <limits>
#include <random>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "stores/kv/store_error.hpp"
#include "test/unit/weir/damaged_text.hpp"
#include "weir/json.hpp"

namespace user {

struct tick {
  std::string symbol;
  double price = 0;
  std::int64_t quantity = 0;
  std::optional<std::string> venue;
  friend bool operator==(const tick&, const tick&) = default;
};
WEIR_FIELDS(tick, symbol, price, quantity, venue)

enum class side : std::uint8_t { buy = 1, sell = 2 };

struct order {
  std::string_view id;
  std::vector<tick> ticks;
  std::pair<std::string, std::int8_t> place;
  side what = side::buy;
  weir::bytes raw;
  std::optional<std::vector<bool>> flags;
};
WEIR_FIELDS(order, id, ticks, place, what, raw, flags)

struct opaque {};

} // namespace user

namespace weir {

namespace {

using user::tick;

template <class T>
std::string why_not(std::string_view text) {
  auto x = decode<json<T>>(text);
  if (x)
    return "accepted";
  CHECK(x.error().code() == ec::bad_format);
  return x.error().text();
}

template <class T>
std::string written(const T& x) {
  return encode<json<T>>(x);
}

} // namespace

TEST_CASE("a struct is an object with its fields", "[json]") {
  tick x{"AB\"C\n", 101.25, -7, std::nullopt};
  CHECK(written(x) == R"({"symbol":"AB\"C\n","price":101.25,"quantity":-7,)"
                      R"("venue":null})");
  CHECK(decode<json<tick>>(written(x)).value() == x);
  // Any order, spaces, unknown fields of any kind, escapes.
  auto y = decode<json<tick>>(
      R"( { "more" : {"a":[1,{"b":null}],"c":"x"}, "quantity":3,"venue":"N",)"
      R"("price":2, "flag":true, "symbol":"\u00e9\t" } )");
  REQUIRE(y);
  CHECK(*y == tick{"é\t", 2, 3, "N"});
}

TEST_CASE("what is wrong with a document is named", "[json]") {
  using doc = std::string;
  CHECK(why_not<tick>("") == "the document is not valid JSON");
  CHECK(why_not<tick>("[]") == "the document is not an object");
  CHECK(why_not<tick>("{}") == "field 'symbol' is missing");
  CHECK(why_not<tick>(R"({"symbol":"a"})") == "field 'price' is missing");
  CHECK(why_not<tick>(R"({"symbol":7})") == "field 'symbol' is not a text");
  CHECK(why_not<tick>(R"({"symbol":"a","price":"1"})") ==
        "field 'price' is not a number");
  doc good = R"({"symbol":"a","price":1,"quantity":)";
  CHECK(why_not<tick>(good + "1.5}") == "field 'quantity' is not an integer");
  CHECK(why_not<tick>(good + "9223372036854775808}") ==
        "field 'quantity' is larger than 64 bits hold");
  CHECK(why_not<tick>(good + R"(1,"price":2})") ==
        "field 'price' stands twice");
  CHECK(why_not<tick>(good + "1,}") == "the document is not valid JSON");
  CHECK(why_not<tick>(good + "1} x") == "the document is not valid JSON");
  CHECK(why_not<tick>(good + R"(1,"junk":tru})") ==
        "the document is not valid JSON");
  CHECK(why_not<tick>(good + R"(1,"junk":[1,2)") ==
        "the document is not valid JSON");
  CHECK(why_not<tick>(good + "1,\"junk\":\"\xff\"}") ==
        "the document is not UTF-8");
  CHECK(why_not<std::int8_t>("128") ==
        "the document is out of its type's range");
  CHECK(why_not<std::uint32_t>("-1") == "the document is negative");
  CHECK(why_not<bool>("1") == "the document is not true or false");
  using pair = std::pair<std::string, int>;
  CHECK(why_not<pair>(R"(["a"])") == "the document is too short");
  CHECK(why_not<pair>(R"(["a",1,2])") == "field '[2]' is one too many");
  auto head = R"({"id":"1","ticks":[{"symbol":"a","price":1,"quantity":2},)";
  CHECK(why_not<user::order>(doc{head} + R"({"symbol":"a"}]})") ==
        "field 'ticks[1].price' is missing");
}

TEST_CASE("every type comes back as it was", "[json]") {
  user::order x;
  x.id = "7";
  x.ticks = {{"a", 1, 2, "v"}, {"b", 3, 4, std::nullopt}};
  x.place = {"x", std::int8_t{-5}};
  x.what = user::side::sell;
  x.raw = {std::byte{0}, std::byte{255}, std::byte{16}, std::byte{1}};
  x.flags = {true, false};
  auto text = written(x);
  CHECK(text.ends_with(R"("place":["x",-5],"what":2,"raw":"AP8QAQ==",)"
                       R"("flags":[true,false]})"));
  json<user::order> format;
  user::order y;
  REQUIRE(format.decode(text, y));
  CHECK(y.id == "7");
  CHECK(y.ticks == x.ticks);
  CHECK(y.place == x.place);
  CHECK(y.what == x.what);
  CHECK(y.raw == x.raw);
  CHECK(y.flags == x.flags);
  // All of it is overwritten.
  REQUIRE(format.decode(R"({"id":"","ticks":[],"place":["",0],"what":1,)"
                        R"("raw":""})",
                        y));
  CHECK(y.id.empty());
  CHECK(y.ticks.empty());
  CHECK(y.raw.empty());
  CHECK_FALSE(y.flags);
  CHECK(decode<json<std::int64_t>>(" -9223372036854775808 ").value() ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(decode<json<std::uint64_t>>("18446744073709551615").value() ==
        std::numeric_limits<std::uint64_t>::max());
  CHECK(decode<json<std::string>>("\"x\"").value() == "x");
}

TEST_CASE("numbers are read as the numbers that were written", "[json]") {
  std::mt19937_64 random{9};
  for (int i = 0; i < 20'000; ++i) {
    auto x = std::bit_cast<double>(random());
    if (!std::isfinite(x))
      continue;
    INFO(written(x));
    REQUIRE(decode<json<double>>(written(x)).value() == x);
    auto y = static_cast<float>(x);
    if (std::isfinite(y))
      REQUIRE(decode<json<float>>(written(y)).value() == y);
  }
  CHECK(written(1.0) == "1");
  CHECK(written(0.1f) == "0.1");
}

TEST_CASE("what JSON does not have is not written", "[json]") {
  CHECK_THROWS_AS(written(std::nan("")), store_error);
  CHECK_THROWS_AS(written(-std::numeric_limits<float>::infinity()),
                  store_error);
  CHECK_THROWS_AS(written(std::string{"\xff"}), store_error);
}

TEST_CASE("base64 has one form for each value", "[json]") {
  std::mt19937_64 random{2};
  for (std::size_t size = 0; size < 200; ++size) {
    bytes x(size % 20);
    for (auto& each : x)
      each = static_cast<std::byte>(random());
    CHECK(decode<json<bytes>>(written(x)).value() == x);
  }
  for (auto bad : {"\"A\"", "\"AA\"", "\"AB==\"", "\"AA=A\"", "\"====\"",
                   "\"AAAA====\"", "\"AA-_\"", "\"AAB=\"", "\"AA==AAAA\""})
    CHECK(why_not<bytes>(bad) == "the document is not base64");
}

TEST_CASE("what is read agrees with another parser", "[json]") {
  std::mt19937_64 random{4};
  const std::string whole =
      R"({"symbol":"a\u0041b","price":-1.5e3,"quantity":12,"venue":"x",)"
      R"("more":[1,{"k":[null,true,"\\\""]},-0.0]})";
  json<tick> format;
  int accepted = 0, refused = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto text = test::damaged(whole, 1 + random() % 3, random);
    tick x;
    bool read = format.decode(text, x).has_value();
    auto other = nlohmann::json::parse(text, nullptr, false);
    INFO(text);
    if (read) {
      ++accepted;
      REQUIRE(other.is_object());
      REQUIRE(other.at("symbol") == x.symbol);
      REQUIRE(other.at("price").get<double>() == x.price);
      REQUIRE(other.at("quantity").get<std::int64_t>() == x.quantity);
      continue;
    }
    ++refused;
    // Valid, and yet not a tick: a field lacks, has another type, is there
    // twice.
    if (!other.is_object())
      continue;
    bool whole_tick =
        other.contains("symbol") && other.contains("price") &&
        other.contains("quantity") && other["symbol"].is_string() &&
        other["price"].is_number() && other["quantity"].is_number_integer() &&
        (!other.contains("venue") || other["venue"].is_null() ||
         other["venue"].is_string());
    if (whole_tick)
      REQUIRE(why_not<tick>(text).find("twice") != std::string::npos);
  }
  CHECK(accepted > 1'000);
  CHECK(refused > 1'000);
}

TEST_CASE("a document is read whatever the same parser read before",
          "[json]") {
  // None of them is plain.
  auto document = [](std::size_t size) {
    return R"({"symbol":"\u0041","price":1,"quantity":2,"more":")" +
           std::string(size, 'x') + "\"}";
  };
  json<tick> growing;
  tick x;
  for (std::size_t size = 0; size < 500; ++size)
    REQUIRE(growing.decode(document(size), x));
  std::mt19937_64 random{6};
  for (int i = 0; i < 2'000; ++i) {
    json<tick> format;
    for (int n = 0; n < 4; ++n) {
      auto text = document(random() % 300);
      auto whole = random() % 2 == 0;
      if (!whole)
        text.resize(random() % text.size());
      INFO(text);
      REQUIRE(format.decode(text, x).has_value() == whole);
    }
  }
}

TEST_CASE("what is known as JSON", "[json]") {
  STATIC_REQUIRE(has_json<user::order>);
  STATIC_REQUIRE(has_json<std::tuple<int, std::optional<bool>>>);
  STATIC_REQUIRE_FALSE(has_json<user::opaque>);
  STATIC_REQUIRE_FALSE(has_json<std::vector<user::opaque>>);
}

} // namespace weir
