#include "stores/kv/plain_json.hpp"

#include <cstdlib>
#include <optional>
#include <random>

#include <catch2/catch.hpp>

#include "test/unit/weir/damaged_text.hpp"
#include "weir/json.hpp"

namespace user {

struct trade {
  std::string symbol;
  double price = 0;
  std::int64_t quantity = 0;
  std::optional<std::vector<std::uint64_t>> ids;
  bool open = false;
  friend bool operator==(const trade&, const trade&) = default;
};
WEIR_FIELDS(trade, symbol, price, quantity, ids, open)

/// `pad` has an escape, so that nothing behind it is read plainly.
struct wrapped {
  std::string pad;
  trade x;
};
WEIR_FIELDS(wrapped, pad, x)

} // namespace user

namespace weir::detail {

namespace {

using user::trade;

template <class T>
std::optional<T> plain(std::string_view text) {
  plain_json in{text};
  T x{};
  if (in.get(x) && in.is_at_end())
    return x;
  return std::nullopt;
}

std::string digits(std::mt19937_64& random, std::size_t count) {
  std::string out;
  while (out.size() < count)
    out += static_cast<char>('0' + random() % 10);
  return out;
}

} // namespace

TEST_CASE("a plain number is read as the nearest double", "[json]") {
  std::mt19937_64 random{3};
  int read = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto whole =
        std::to_string(random() % 10 == 0 ? 0 : random() >> random() % 64);
    auto text = (random() % 2 == 0 ? "-" : "") + whole;
    if (random() % 4 != 0)
      text += '.' + digits(random, 1 + random() % 18);
    INFO(text);
    auto x = plain<double>(text);
    auto count = text.size() - (text[0] == '-' ? 1 : 0) -
                 (text.find('.') != text.npos ? 1 : 0);
    REQUIRE(x.has_value() == (count <= 18));
    if (!x)
      continue;
    ++read;
    auto expected = std::strtod(text.c_str(), nullptr);
    REQUIRE(std::bit_cast<std::uint64_t>(*x) ==
            std::bit_cast<std::uint64_t>(expected));
  }
  CHECK(read > 50'000);
}

TEST_CASE("a plain integer is read to its last digit", "[json]") {
  CHECK(plain<std::int64_t>("-999999999999999999") == -999999999999999999);
  CHECK(plain<std::int64_t>(" 0 ") == 0);
  CHECK(plain<std::int64_t>("-0") == 0);
  CHECK(plain<std::uint64_t>("999999999999999999") == 999999999999999999u);
  for (auto other : {"", "-", "01", "00", "1.5", "1e3", "+1", ".5", "1.", "a",
                     "1000000000000000000", "1 2", "--1"})
    CHECK_FALSE(plain<std::int64_t>(other));
  CHECK_FALSE(plain<std::uint64_t>("-1"));
  CHECK_FALSE(plain<std::uint64_t>("-0"));
}

TEST_CASE("a plain text ends at its quote, wherever that is", "[json]") {
  for (std::size_t size = 0; size < 70; ++size) {
    auto text = std::string(size, 'x');
    CHECK(plain<std::string_view>('"' + text + '"') == text);
    CHECK_FALSE(plain<std::string_view>('"' + text));
    for (std::size_t at = 0; at < size; ++at)
      for (char other : {'"', '\\', '\n', '\0', '\x1f', '\x80', '\xff'}) {
        auto bad = text;
        bad[at] = other;
        CHECK_FALSE(plain<std::string_view>('"' + bad + '"'));
      }
    for (char fine : {' ', '\x7f', '!', '#', '[', ']', '~'})
      if (size > 0) {
        text.back() = fine;
        CHECK(plain<std::string_view>('"' + text + '"') == text);
      }
  }
}

TEST_CASE("words are read whole", "[json]") {
  CHECK(plain<bool>("true") == true);
  CHECK(plain<bool>(" false\n") == false);
  for (auto other : {"", "t", "tru", "truex", "True", "null", "1"})
    CHECK_FALSE(plain<bool>(other));
  plain_json in{"null"};
  CHECK(in.is_null());
  CHECK(in.is_at_end());
  CHECK_FALSE(plain_json{"nul"}.is_null());
}

TEST_CASE("nesting has an end", "[json]") {
  for (std::size_t depth : {1u, 30u, 31u, 32u, 33u, 900u}) {
    auto deep = std::string(depth, '[') + std::string(depth, ']');
    auto text = R"({"symbol":"a","price":1,"quantity":2,"open":true,"more":)" +
                deep + "}";
    CHECK(decode<json<trade>>(text).has_value());
    text.pop_back();
    CHECK_FALSE(decode<json<trade>>(text).has_value());
  }
}

TEST_CASE("a document is read plainly as it is read otherwise", "[json]") {
  std::mt19937_64 random{5};
  const std::string bases[] = {
      R"({"symbol":"SYM0042","price":321.07,"quantity":417,"ids":[1,22,333],)"
      R"("open":true})",
      R"({"symbol":"","price":-0.5,"ts":1700000000000,"quantity":0,)"
      R"("more":{"a":[null,{"b":"c"}],"d":{}},"open":false,"ids":null})",
      R"( { "ids" : [ ] , "open" : true , "quantity" : 7 , "price" : 0.1 , )"
      R"("symbol" : "abcdefghijklmnopqrstuvwxyz" } )"};
  json<trade> format;
  json<user::wrapped> other;
  int accepted = 0, refused = 0;
  for (int i = 0; i < 300'000; ++i) {
    auto text = test::damaged(bases[random() % 3], random() % 4, random);
    INFO(text);
    trade x;
    user::wrapped y;
    auto one = format.decode(text, x);
    auto two = other.decode(R"({"pad":"\u0041","x":)" + text + "}", y);
    REQUIRE(one.has_value() == two.has_value());
    if (one)
      REQUIRE(x == y.x);
    ++(one ? accepted : refused);
  }
  CHECK(accepted > 50'000);
  CHECK(refused > 50'000);
}

} // namespace weir::detail
