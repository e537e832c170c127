// Serdes: what goes in comes out, and the bytes of keys sort as the keys do.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <google/protobuf/struct.pb.h>

#include "stores/kv/json_serde.hpp"
#include "stores/kv/key_traits.hpp"
#include "stores/kv/protobuf_serde.hpp"
#include "stores/kv/serde.hpp"

namespace {

struct quote {
  double price = 0;
  std::int64_t quantity = 0;
  std::string venue;
  bool operator==(const quote&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(quote, price, quantity, venue)

struct without_serde {};

} // namespace

template <>
struct weir::serde<quote> : weir::json_serde<quote> {};

namespace weir {
namespace {

static_assert(!has_serde<without_serde>);
static_assert(has_serde<quote> && !has_key_serde<quote>);
static_assert(has_key_serde<std::string> && has_key_serde<bytes>);
static_assert(has_key_serde<char> && has_key_serde<long long>);
static_assert(has_serde<google::protobuf::Struct>);
static_assert(!has_key_serde<google::protobuf::Struct>);

template <class T>
std::string encode(const T& x) {
  std::string out;
  serde<T>::encode(x, out);
  return out;
}

template <class T>
T decode(std::string_view in) {
  T out{};
  REQUIRE(serde<T>::decode(in, out));
  return out;
}

template <class T>
bool refuses(std::string_view in) {
  T out{};
  return !serde<T>::decode(in, out);
}

template <class T>
std::string encode_key(const T& x) {
  std::string out;
  key_traits<T>::encode(x, out);
  return out;
}

/// Sorted values must have sorted bytes, and come back.
template <class T>
void check_order(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  std::string before;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto now = encode(values[i]);
    CHECK(decode<T>(now) == values[i]);
    if (i > 0 && values[i - 1] < values[i])
      CHECK(before < now);
    before = now;
  }
}

template <class T>
std::vector<T> interesting_integers() {
  using limits = std::numeric_limits<T>;
  std::vector<T> out{
      limits::min(),        T(limits::min() + 1), T(0),    T(1),
      T(limits::max() - 1), limits::max(),        T(0x7f), T(0x80)};
  if (std::is_signed_v<T>)
    out.push_back(T(-1));
  std::mt19937_64 random{7};
  for (int i = 0; i < 200; ++i)
    out.push_back(static_cast<T>(random()));
  return out;
}

} // namespace

TEMPLATE_TEST_CASE("integers keep their order as bytes", "[serde]", std::int8_t,
                   std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
                   std::uint32_t, std::int64_t, std::uint64_t, long long,
                   char) {
  check_order(interesting_integers<TestType>());
  CHECK(encode(TestType{}).size() == sizeof(TestType));
  CHECK(refuses<TestType>(""));
  CHECK(refuses<TestType>(std::string(sizeof(TestType) + 1, 'x')));
}

TEST_CASE("integers are big-endian with a flipped sign", "[serde]") {
  CHECK(encode(std::uint32_t{0x01020304}) == "\x01\x02\x03\x04");
  CHECK(encode(std::int16_t{1}) == std::string("\x80\x01", 2));
  CHECK(encode(std::int16_t{-1}) == std::string("\x7f\xff", 2));
}

TEMPLATE_TEST_CASE("floating-point numbers keep their order as bytes",
                   "[serde]", float, double) {
  using limits = std::numeric_limits<TestType>;
  std::vector<TestType> values{
      -limits::infinity(),  limits::lowest(),      TestType(-1.5),
      -limits::min(),       -limits::denorm_min(), TestType(0),
      limits::denorm_min(), limits::min(),         TestType(0.1),
      TestType(1),          limits::max(),         limits::infinity()};
  std::mt19937_64 random{11};
  std::uniform_real_distribution<TestType> spread{-1e9, 1e9};
  for (int i = 0; i < 200; ++i)
    values.push_back(spread(random));
  check_order(values);
  CHECK(refuses<TestType>("12"));
}

TEST_CASE("a floating-point value keeps every bit", "[serde]") {
  CHECK(std::signbit(decode<double>(encode(-0.0))));
  CHECK(std::isnan(decode<double>(encode(std::nan("")))));
  CHECK(encode(-0.0) < encode(0.0));
}

TEST_CASE("as keys, both zeros are one and NaN is refused", "[serde]") {
  CHECK(encode_key(-0.0) == encode_key(0.0));
  CHECK(key_traits<double>::hash(-0.0) == key_traits<double>::hash(0.0));
  CHECK_FALSE(std::signbit(key_traits<double>::own(-0.0)));
  std::string out;
  CHECK_THROWS_AS(key_traits<double>::encode(std::nan(""), out), store_error);
  CHECK_THROWS_AS(key_traits<float>::hash(std::nanf("")), store_error);
}

TEST_CASE("strings, bytes and bools are what they are", "[serde]") {
  std::string raw("a\0\xff", 3);
  CHECK(encode(raw) == raw);
  CHECK(decode<std::string>(raw) == raw);
  CHECK(decode<std::string>("").empty());
  bytes some{std::byte{0}, std::byte{0xff}};
  CHECK(decode<bytes>(encode(some)) == some);
  CHECK(decode<bytes>(encode(bytes{})).empty());
  CHECK(decode<bool>(encode(true)));
  CHECK_FALSE(decode<bool>(encode(false)));
  CHECK(refuses<bool>("\x02"));
  CHECK(refuses<bool>(""));
}

TEST_CASE("encode appends", "[serde]") {
  std::string out = "before ";
  serde<std::string>::encode("after", out);
  serde<quote>::encode({}, out);
  CHECK(out == R"(before after{"price":0.0,"quantity":0,"venue":""})");
}

TEST_CASE("structs as JSON", "[serde]") {
  quote x{0.1, 9'007'199'254'740'993, "Zürich"};
  CHECK(encode(x) ==
        R"({"price":0.1,"quantity":9007199254740993,"venue":"Zürich"})");
  CHECK(decode<quote>(encode(x)) == x);
  CHECK(refuses<quote>(""));
  CHECK(refuses<quote>(R"({"price":1)"));
  CHECK(refuses<quote>(R"({"price":1})"));
  CHECK(refuses<quote>(R"({"price":"1","quantity":1,"venue":""})"));
}

TEST_CASE("what JSON cannot hold is refused when it is written", "[serde]") {
  CHECK_THROWS_AS(encode(quote{std::nan(""), 0, ""}), store_error);
  CHECK_THROWS_AS(encode(quote{0, 0, "\xff"}), store_error);
}

// Protobuf's headers give a map other members under the thread sanitizer than
// the library was built with.
#ifndef __SANITIZE_THREAD__
TEST_CASE("Protobuf messages", "[serde]") {
  google::protobuf::Struct x;
  (*x.mutable_fields())["price"].set_number_value(1.5);
  (*x.mutable_fields())["name"].set_string_value("AAPL");
  auto encoded = encode(x);
  auto back = decode<google::protobuf::Struct>(encoded);
  CHECK(back.fields().at("price").number_value() == 1.5);
  CHECK(back.fields().at("name").string_value() == "AAPL");
  CHECK(refuses<google::protobuf::Struct>("\xff\xff"));

  google::protobuf::Struct other;
  (*other.mutable_fields())["name"].set_string_value("AAPL");
  (*other.mutable_fields())["price"].set_number_value(1.5);
  CHECK(encode(other) == encoded);
}
#endif

} // namespace weir
