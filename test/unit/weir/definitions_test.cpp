// Definitions, what they say without their types, and jobs made of them.
#include <array>

#include <catch2/catch.hpp>

#include "runtime/stream/record_access.hpp"
#include "weir/detail/handler.hpp"
#include "weir/job.hpp"

namespace defined {

struct tick {
  std::string symbol;
  double price = 0;
  std::int64_t quantity = 0;
};
WEIR_FIELDS(tick, symbol, price, quantity)

enum class side : std::uint8_t { buy, sell };

struct nested {
  std::vector<nested> inner;
  std::optional<std::pair<side, bool>> what;
};
WEIR_FIELDS(nested, inner, what)

/// With a serde of its own.
struct opaque {
  int x = 0;
};
struct named {
  int x = 0;
};

} // namespace defined

namespace weir {

template <>
struct serde<defined::opaque> {
  static void encode(const defined::opaque&, std::string&) {}
  static bool decode(std::string_view, defined::opaque&) { return true; }
};
template <>
struct serde<defined::named> {
  static constexpr std::string_view type_name = "named/2";
  static void encode(const defined::named&, std::string&) {}
  static bool decode(std::string_view, defined::named&) { return true; }
};

namespace {

using defined::tick;

constexpr input<std::string, json<tick>> ticks{"ticks"};
constexpr input<none, std::optional<std::string>> lines{
    "lines", {.on_bad = bad_record_policy::skip}};
constexpr output<std::int32_t, tick> changes{"changes"};
constexpr store<std::pair<std::string, std::int64_t>, tick> quotes{"quotes"};

template <class T>
std::string type() {
  return detail::type_text_of<T>();
}

/// The JSON of what `make` makes of the bytes of JSON.
std::string there_and_back(const detail::text_ops& side, const char* json) {
  std::string bytes, out;
  REQUIRE(side.parse(json, bytes));
  REQUIRE(side.show(bytes, out));
  return out;
}

} // namespace

TEST_CASE("a type is told by its structure", "[definitions]") {
  CHECK(type<std::string>() == "text");
  CHECK(type<std::string_view>() == "text");
  CHECK(type<bytes>() == "bytes");
  CHECK(type<bool>() == "bool");
  CHECK(type<std::int8_t>() == "i8");
  CHECK(type<std::uint64_t>() == "u64");
  CHECK(type<float>() == "f32");
  CHECK(type<defined::side>() == "u8");
  CHECK(type<std::chrono::milliseconds>() == "i64*1/1000s");
  CHECK(type<time_point>() == "@i64*1/1000s");
  CHECK(type<std::optional<std::vector<int>>>() == "[i32]?");
  CHECK(type<std::tuple<int, std::string>>() == "(i32,text)");
  CHECK(type<tick>() == "{symbol:text,price:f64,quantity:i64}");
  CHECK(type<json<tick>>() == "json<{symbol:text,price:f64,quantity:i64}>");
  CHECK(type<defined::opaque>() == "custom");
  CHECK(type<defined::named>() == "named/2");
  // It ends, though a nested has nesteds.
  CHECK(type<defined::nested>().find("...") != std::string::npos);
}

TEST_CASE("a definition says what it is without its types", "[definitions]") {
  constexpr auto x = detail::describe(ticks);
  STATIC_REQUIRE(x.role == role::input);
  CHECK(x.name == "ticks");
  CHECK(x.key->type() == "text");
  CHECK(x.key->text);
  CHECK_FALSE(x.on_bad);
  auto y = detail::describe(lines);
  CHECK(y.key == nullptr);
  CHECK(y.value->type() == "text");
  CHECK(y.on_bad == bad_record_policy::skip);
  auto z = detail::describe(quotes);
  CHECK(z.key->type() == "(text,i64)");
  CHECK(z.store ==
        &detail::spec_of<std::pair<std::string, std::int64_t>, tick>);
  // The same types are told apart by nothing, others by their place.
  CHECK(z.value == detail::describe(changes).value);
  CHECK(z.value != x.value);
}

TEST_CASE("what is in topics and stores is read and shown as JSON",
          "[definitions]") {
  auto shown = R"({"symbol":"A","price":1.5,"quantity":2})";
  CHECK(there_and_back(*detail::describe(ticks).value, shown) == shown);
  CHECK(there_and_back(*detail::describe(changes).value, shown) == shown);
  CHECK(there_and_back(*detail::describe(changes).key, "-7") == "-7");
  CHECK(there_and_back(*detail::describe(quotes).key, R"(["a",-3])") ==
        R"(["a",-3])");
  std::string out = "kept";
  auto& key = *detail::describe(quotes).key;
  CHECK(key.parse("[1]", out).error().code() == ec::bad_format);
  CHECK(key.show("", out).error().text() == "the bytes are no (text,i64)");
  CHECK(out == "kept");
  // What JSON does not have.
  auto& text = *detail::describe(ticks).key;
  CHECK(text.show("\xff", out).error().code() == ec::bad_format);
  CHECK(out == "kept");
  constexpr store<std::string, defined::opaque> hidden{"hidden"};
  CHECK(detail::describe(hidden).value->show == nullptr);
}

TEST_CASE("a job keeps the order of its definitions", "[definitions]") {
  job x{"j", quotes, lines, changes, ticks};
  CHECK(x.parts().size() == 4);
  CHECK(x.inputs() == std::vector<std::string>{"lines", "ticks"});
  CHECK(x.outputs() == std::vector<std::string>{"changes"});
  CHECK(x.stores() == std::vector<std::string>{"quotes"});
  CHECK(x.find(role::store, "quotes")->key->type() == "(text,i64)");
  CHECK(x.find(role::input, "quotes") == nullptr);
  x.bind(ticks, "trades").rename("other");
  CHECK(x.topic("ticks") == "trades");
  CHECK(x.topic("lines") == "lines");
  CHECK(x.changelog() == "other-changelog");
  CHECK(x.check());
}

// -- handlers

namespace {

record of(std::optional<std::string_view> key,
          std::optional<std::string_view> value) {
  record out;
  if (key)
    detail::record_access::set_key(out, *key);
  if (value)
    detail::record_access::set_value(out, *value);
  return out;
}

} // namespace

TEST_CASE("a handler gets what its topic holds", "[definitions]") {
  std::string why, seen;
  auto doc = R"({"symbol":"A","price":1.5,"quantity":2})";
  auto one = detail::make_handler<std::string, json<tick>>(
      [&](std::string_view key, const tick& x) {
        seen = std::string{key} + '/' + x.symbol;
      });
  CHECK(one->call(of("k", doc), why));
  CHECK(seen == "k/A");
  CHECK_FALSE(one->call(of("k", "{"), why));
  CHECK(why == "the value: the document is not valid JSON");
  CHECK_FALSE(one->call(of("k", R"({"symbol":"A","price":"x"})"), why));
  CHECK(why == "the value: field 'price' is not a number");
  CHECK_FALSE(one->call(of(std::nullopt, doc), why));
  CHECK(why == "the record has no key");
  CHECK_FALSE(one->call(of("k", std::nullopt), why));
  CHECK(why == "the record has no value");
  // Text is not copied where a view is taken.
  auto views = detail::make_handler<std::string, std::string>(
      [&](std::string_view key, std::string_view value) {
        seen = key.data() == doc && value.data() == doc ? "same" : "copied";
      });
  CHECK(views->call(of(doc, doc), why));
  CHECK(seen == "same");
  auto mixed = detail::make_handler<std::string, std::string>(
      [&](const std::string& key, std::string_view value) {
        seen = key + std::string{value};
      });
  CHECK(mixed->call(of("a", "b"), why));
  CHECK(seen == "ab");
}

TEST_CASE("a side may be absent, or not be looked at", "[definitions]") {
  std::string why, seen;
  auto tombstones = detail::make_handler<std::string, std::optional<tick>>(
      [&](std::string_view key, const std::optional<tick>& x) {
        seen = std::string{key} + (x ? x->symbol : "gone");
      });
  std::string bytes = encode<tick>({"S", 1, 2});
  CHECK(tombstones->call(of("k", bytes), why));
  CHECK(seen == "kS");
  CHECK(tombstones->call(of("k", std::nullopt), why));
  CHECK(seen == "kgone");
  CHECK_FALSE(tombstones->call(of("k", "short"), why));
  CHECK(why == "the value does not decode");
  auto values = detail::make_handler<none, std::int32_t>(
      [&](std::int32_t x) { seen = std::to_string(x); });
  CHECK(values->call(of("ignored", encode<std::int32_t>(-5)), why));
  CHECK(seen == "-5");
  auto raw = detail::make_handler<std::string, json<tick>>(
      [&](const record& x) { seen = *x.value(); });
  CHECK(raw->call(of(std::nullopt, "no JSON"), why));
  CHECK(seen == "no JSON");
}

// -- emitters

namespace {

class noted final : public detail::task_parts {
public:
  detail::store_core& open_store(const part&) override { throw 0; }
  int open_topic(const part& what) override {
    opened = what.name;
    return 7;
  }
  void handle(const part&, std::unique_ptr<detail::handler>) override {}
  void wired() override {}
  void emit(int topic, const detail::raw_side& key,
            const detail::raw_side& value, const emit_options& how) override {
    CHECK(topic == 7);
    last = (key.there ? std::string{key.bytes} : "-") + '|' +
           (value.there ? std::string{value.bytes} : "-") + '|' +
           std::to_string(how.partition.value_or(-1));
  }
  const detail::task_place& place() const noexcept override { return where; }

  std::string opened, last;
  detail::task_place where;
};

} // namespace

TEST_CASE("an emitter writes what its topic holds", "[definitions]") {
  noted task;
  constexpr output<std::string, std::optional<json<tick>>> both{"both"};
  emitter<std::string, std::optional<json<tick>>> out{task,
                                                      detail::describe(both)};
  CHECK(task.opened == "both");
  out.emit("k", tick{"A", 1.5, 2}, {.partition = 3});
  CHECK(task.last == R"(k|{"symbol":"A","price":1.5,"quantity":2}|3)");
  out.emit("k", std::nullopt);
  CHECK(task.last == "k|-|-1");
  out.erase("");
  CHECK(task.last == "|-|-1");
  constexpr output<none, std::string> plain{"plain"};
  emitter<none, std::string> lines{task, detail::describe(plain)};
  lines.emit("");
  CHECK(task.last == "-||-1");
  constexpr output<std::int16_t, none> keys{"keys"};
  emitter<std::int16_t, none> numbers{task, detail::describe(keys)};
  numbers.emit(0x4142);
  CHECK(task.last == "AB|-|-1");
}

} // namespace weir
