// Serdes of other libraries' types.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <string>

#include <google/protobuf/struct.pb.h>

#include "stores/kv/json_serde.hpp"
#include "stores/kv/protobuf_serde.hpp"
#include "weir/detail/key_order.hpp"
#include "weir/serde.hpp"

namespace {

struct quote {
  double price = 0;
  std::int64_t quantity = 0;
  std::string venue;
  bool operator==(const quote&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(quote, price, quantity, venue)

} // namespace

template <>
struct weir::serde<quote> : weir::json_serde<quote> {};

namespace weir {
namespace {

static_assert(has_serde<quote> && !detail::key_type<quote>);
static_assert(has_serde<google::protobuf::Struct>);
static_assert(!detail::key_type<google::protobuf::Struct>);

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

} // namespace

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
