#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include <catch2/catch.hpp>

#include "stores/kv/store_error.hpp"
#include "weir/detail/key_order.hpp"
#include "weir/serde.hpp"

namespace user {

struct quote {
  double price = 0;
  std::int64_t quantity = 0;
  std::string venue;
  friend bool operator==(const quote&, const quote&) = default;
};
WEIR_FIELDS(quote, price, quantity, venue)

struct place {
  std::string street;
  std::int32_t number = 0;
  std::optional<std::uint8_t> floor;
  friend auto operator<=>(const place&, const place&) = default;
};
WEIR_FIELDS(place, street, number, floor)

struct more : quote {
  int extra = 0;
};

/// A serde of its own, which owns what it needs and promises an order.
struct tag {
  char name = 'a';
  friend auto operator<=>(const tag&, const tag&) = default;
};

struct sealed {
  std::string name;
};
WEIR_FIELDS(sealed, name)

struct unknown {};
struct half_known {
  std::vector<int> parts;
};
WEIR_FIELDS(half_known, parts)

enum class side : std::int8_t { sell = -1, buy = 1 };

} // namespace user

template <>
struct weir::serde<user::tag> {
  static constexpr bool is_key = true;
  void encode(const user::tag& x, std::string& out) { out += x.name; }
  weir::result<void> decode(std::string_view in, user::tag& x) {
    if (in.size() != 1)
      return fail(ec::bad_format, "a tag is one letter");
    x.name = in.front();
    return {};
  }
};

template <>
struct weir::serde<user::sealed> {
  static constexpr bool is_key = true;
  static void encode(const user::sealed& x, std::string& out) { out += x.name; }
  static bool decode(std::string_view in, user::sealed& x) {
    x.name = in;
    return true;
  }
};

namespace weir {

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

template <class T>
std::string encoded(const T& x) {
  std::string out;
  serde<T>{}.encode(x, out);
  return out;
}

template <class T>
bool decodes(std::string_view in, T& x) {
  return detail::is_ok(serde<T>{}.decode(in, x));
}

template <class T>
T again(const T& x) {
  T out{};
  REQUIRE(decodes(encoded(x), out));
  return out;
}

template <class T>
std::string key_bytes(const T& x) {
  std::string out;
  detail::key_order<T>::put(x, out);
  return out;
}

/// The order of the bytes is that of the values, and each comes back.
template <class T>
void check_order(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto bytes = key_bytes<T>(values[i]);
    T back{};
    REQUIRE(detail::key_order<T>::get(bytes, back));
    REQUIRE(back == values[i]);
    if (i > 0) {
      auto before = key_bytes<T>(values[i - 1]);
      REQUIRE((before < bytes) == (values[i - 1] < values[i]));
    }
  }
}

template <class T>
std::vector<T> numbers() {
  using limits = std::numeric_limits<T>;
  std::vector<T> out{limits::lowest(), limits::max(), T{0}, T{1},
                     static_cast<T>(-1)};
  std::mt19937_64 random{7};
  for (int i = 0; i < 500; ++i)
    out.push_back(static_cast<T>(static_cast<std::int64_t>(random())));
  if constexpr (std::is_floating_point_v<T>)
    for (auto x : {limits::infinity(), -limits::infinity(), limits::min(),
                   limits::denorm_min(), -limits::denorm_min(), T(1.5)})
      out.push_back(x);
  return out;
}

std::string random_text(std::mt19937_64& random) {
  std::string out(random() % 4, '\0');
  for (auto& each : out)
    each = "\0\1\xff\xfe"
           "a"[random() % 5];
  return out;
}

} // namespace

TEST_CASE("numbers have the bytes of Kafka's own serializers", "[serde]") {
  CHECK(encoded(std::int64_t{1}) == "\0\0\0\0\0\0\0\1"s);
  CHECK(encoded(std::int32_t{-2}) == "\xff\xff\xff\xfe"s);
  CHECK(encoded(std::int16_t{258}) == "\1\2"s);
  CHECK(encoded(1.0) == "\x3f\xf0\0\0\0\0\0\0"s);
  CHECK(encoded(-1.5f) == "\xbf\xc0\0\0"s);
  CHECK(encoded(true) == "\1"s);
  CHECK(encoded(user::side::sell) == "\xff"s);
  CHECK(encoded(std::chrono::milliseconds{256}) == "\0\0\0\0\0\0\1\0"s);
  std::chrono::sys_time<std::chrono::milliseconds> noon{std::chrono::hours{12}};
  CHECK(again(noon) == noon);
  CHECK(again(std::numeric_limits<double>::denorm_min()) ==
        std::numeric_limits<double>::denorm_min());
  CHECK(std::signbit(again(-0.0)));
  CHECK(std::isnan(again(std::nan(""))));
  std::int64_t x = 0;
  CHECK_FALSE(decodes("1234567", x));
  CHECK_FALSE(decodes("123456789", x));
  bool flag = false;
  CHECK_FALSE(decodes("\2", flag));
}

TEST_CASE("text and bytes are what they are", "[serde]") {
  auto raw = "a\0\xff"s;
  CHECK(encoded(raw) == raw);
  CHECK(again(raw) == raw);
  bytes some{std::byte{0}, std::byte{0xff}};
  CHECK(again(some) == some);
  CHECK(again(bytes{}).empty());
  std::string out = "before ";
  serde<std::string>::encode("after", out);
  CHECK(out == "before after");
}

TEST_CASE("what has parts comes back part by part", "[serde]") {
  user::quote quote{1.25, -7, "a\0b"s};
  CHECK(again(quote) == quote);
  CHECK(encoded(quote).size() == 8 + 8 + 1 + 3);
  std::tuple<std::string, std::vector<user::quote>, std::optional<bool>> all{
      "", {quote, {}}, std::nullopt};
  CHECK(again(all) == all);
  std::pair<std::optional<std::string>, std::vector<bool>> pair{"x",
                                                                {true, false}};
  CHECK(again(pair) == pair);
  std::vector<std::string> long_ones{
      std::string(127, 'a'), std::string(128, 'b'), std::string(70'000, 'c')};
  CHECK(again(long_ones) == long_ones);
  std::tuple<user::tag, std::int8_t> own{{'q'}, std::int8_t{3}};
  CHECK(again(own) == own);
}

TEST_CASE("bytes that are cut, longer or damaged do not decode", "[serde]") {
  using all = std::tuple<std::string, std::vector<user::quote>,
                         std::optional<std::int16_t>, user::tag>;
  auto whole = encoded(all{"abc", {{1, 2, "v"}, {}}, std::int16_t{9}, {'t'}});
  all out;
  REQUIRE(decodes(whole, out));
  for (std::size_t n = 0; n < whole.size(); ++n)
    CHECK_FALSE(decodes(std::string_view{whole}.substr(0, n), out));
  CHECK_FALSE(decodes(whole + '\0', out));
  // A size that is larger than all memory.
  std::vector<std::string> texts;
  CHECK_FALSE(decodes("\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s, texts));
  CHECK_FALSE(decodes(std::string(20, '\xff'), texts));
  std::mt19937_64 random{3};
  for (int i = 0; i < 20'000; ++i) {
    auto damaged = whole;
    for (auto n = 1 + random() % 3; n > 0; --n)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    if (decodes(damaged, out))
      CHECK(encoded(out).size() <= damaged.size());
  }
}

TEST_CASE("keys sort as their values do", "[serde]") {
  check_order(numbers<char>());
  check_order(numbers<long long>());
  check_order(numbers<std::int8_t>());
  check_order(numbers<std::uint8_t>());
  check_order(numbers<std::uint16_t>());
  check_order(numbers<std::int32_t>());
  check_order(numbers<std::int64_t>());
  check_order(numbers<std::uint64_t>());
  check_order(numbers<float>());
  check_order(numbers<double>());
  check_order<bool>({false, true});
  check_order<user::side>({user::side::buy, user::side::sell});
  check_order<std::chrono::seconds>(
      {std::chrono::seconds{-5}, std::chrono::seconds{3}});

  std::mt19937_64 random{5};
  std::vector<std::string> texts;
  std::vector<std::pair<std::string, std::string>> pairs;
  std::vector<std::tuple<std::string, std::int32_t, std::string>> tuples;
  std::vector<std::optional<std::string>> maybe{std::nullopt};
  std::vector<user::place> places;
  std::vector<std::pair<user::tag, std::pair<std::string, bool>>> nested;
  for (int i = 0; i < 2'000; ++i) {
    auto text = [&] { return random_text(random); };
    auto number = [&] { return static_cast<std::int32_t>(random() % 5) - 2; };
    texts.push_back(text());
    pairs.emplace_back(text(), text());
    tuples.emplace_back(text(), number(), text());
    maybe.emplace_back(text());
    places.push_back(
        {text(), number(),
         number() > 0 ? std::optional<std::uint8_t>{7} : std::nullopt});
    nested.push_back({{"abc"[random() % 3]}, {text(), number() > 0}});
  }
  check_order(texts);
  check_order(pairs);
  check_order(tuples);
  check_order(maybe);
  check_order(places);
  check_order(nested);
}

TEST_CASE("equal keys have equal bytes, and no others are read", "[serde]") {
  CHECK(key_bytes(-0.0) == key_bytes(0.0));
  CHECK_THROWS_AS(key_bytes(std::nan("")), store_error);
  double x = 0;
  CHECK_FALSE(
      detail::key_order<double>::get("\x7f\xff\xff\xff\xff\xff\xff\xff"s, x));
  CHECK_FALSE(
      detail::key_order<double>::get("\xff\xff\xff\xff\xff\xff\xff\xff"s, x));
  bool flag = false;
  CHECK_FALSE(detail::key_order<bool>::get("\2", flag));
}

TEST_CASE("what can be a key, and what cannot", "[serde]") {
  using detail::key_type;
  STATIC_REQUIRE(key_type<std::string>);
  STATIC_REQUIRE(key_type<bytes>);
  STATIC_REQUIRE(key_type<user::place>);
  STATIC_REQUIRE(key_type<user::tag>);
  STATIC_REQUIRE(key_type<std::tuple<user::tag, double>>);
  STATIC_REQUIRE_FALSE(key_type<std::vector<int>>);
  STATIC_REQUIRE_FALSE(key_type<user::half_known>);
  STATIC_REQUIRE_FALSE(key_type<std::pair<int, user::unknown>>);
  STATIC_REQUIRE(has_serde<user::half_known>);
  STATIC_REQUIRE_FALSE(has_serde<user::unknown>);
  // A struct with a serde of its own is one part, whatever its fields.
  STATIC_REQUIRE(
      std::is_same_v<detail::first_part<user::sealed>::type, user::sealed>);
  STATIC_REQUIRE(
      std::is_same_v<detail::first_part<user::place>::type, std::string>);
  // It would lose what it adds.
  STATIC_REQUIRE_FALSE(has_serde<user::more>);
}

} // namespace weir
