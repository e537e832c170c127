// Records as they are typed and printed.
#include "actors/commands/record_text.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/stream/record_access.hpp"

namespace typed {

struct point {
  std::int32_t x = 0;
  std::optional<std::string> name;
};
WEIR_FIELDS(point, x, name)

struct secret {};

} // namespace typed

template <>
struct weir::serde<typed::secret> {
  static void encode(const typed::secret&, std::string&) {}
  static bool decode(std::string_view, typed::secret&) { return true; }
};

using namespace weir;

namespace {

using access = detail::record_access;

constexpr input<std::string, std::string> texts{"texts"};
constexpr input<none, std::string> lines{"lines"};
constexpr input<std::string, none> keys{"keys"};
constexpr input<std::int64_t, typed::point> points{"points"};
constexpr input<std::string, json<typed::point>> documents{"documents"};
constexpr input<std::string, typed::secret> secrets{"secrets"};

template <class Topic>
std::string parsed(const Topic& topic, std::string_view line,
                   bool json = false) {
  fed_record x;
  auto input = detail::describe(topic);
  auto done =
      json ? parse_json_line(input, line, x) : parse_line(input, line, x);
  if (!done) {
    CHECK(done.error().code() == ec::bad_argument);
    return "refused: " + done.error().text();
  }
  auto out = x.key.value_or("-") + '|' + x.value.value_or("-");
  for (auto& [name, value] : x.headers)
    out += '|' + name + '=' + value;
  if (x.timestamp)
    out += "|t" + std::to_string(*x.timestamp);
  if (x.partition)
    out += "|p" + std::to_string(*x.partition);
  return out;
}

record of(std::optional<std::string_view> key,
          std::optional<std::string_view> value) {
  record out;
  access::set_topic(out, "t");
  access::set_position(out, 1, 7, 1700);
  if (key)
    access::set_key(out, *key);
  if (value)
    access::set_value(out, *value);
  return out;
}

template <class Topic>
std::string shown(const Topic& topic, const record& x) {
  auto declared = detail::describe(topic);
  // Whatever is in it, the long form is JSON.
  CHECK(nlohmann::json::accept(json_line_of(&declared, x)));
  return line_of(&declared, x);
}

} // namespace

TEST_CASE("a line is key, tab and value, or the value alone", "[commands]") {
  CHECK(parsed(texts, "k\tv") == "k|v");
  CHECK(parsed(texts, "k\ta\tb") == "k|a\tb");
  CHECK(parsed(texts, "\t") == "|");
  CHECK(parsed(texts, "k\t") == "k|");
  CHECK(parsed(texts, "kv") ==
        "refused: no tab between key and value: topic 'texts' has keys");
  CHECK(parsed(lines, "a\tb") == "-|a\tb");
  CHECK(parsed(lines, "") == "-|");
  CHECK(parsed(keys, "k") == "k|-");
  CHECK(parsed(points, "1\t{\"x\":2,\"name\":\"n\"}") ==
        std::string("\0\0\0\0\0\0\0\1|\0\0\0\2\1\1n", 16));
  CHECK(parsed(points, "one\t{}").starts_with("refused: the key: is no i64"));
  CHECK(
      parsed(points, "1\t{\"x\":\"2\"}").find("field 'x' is not an integer") !=
      std::string::npos);
  // More than the job reads stays.
  CHECK(parsed(documents, "k\t{\"x\":1,\"more\":[2]}") ==
        "k|{\"x\":1,\"more\":[2]}");
  CHECK(parsed(documents, "k\t{}").find("field 'x' is missing") !=
        std::string::npos);
  CHECK(parsed(secrets, "k\tv").find("base64") != std::string::npos);
}

TEST_CASE("a JSON line may have everything that a record has", "[commands]") {
  CHECK(parsed(texts, R"({"key":"k","value":"v"})", true) == "k|v");
  CHECK(parsed(texts, R"({"key":"k","value":null})", true) == "k|-");
  CHECK(parsed(texts, R"({"key":"k"})", true) == "k|-");
  CHECK(parsed(texts,
               R"({"key":"","value":"","headers":{"a":"b","c":)"
               R"({"base64":"/w=="}},"time":5,"partition":2})",
               true) == "||a=b|c=\xff|t5|p2");
  CHECK(parsed(texts, R"({"key":{"base64":"/w=="},"value":"v"})", true) ==
        "\xff|v");
  CHECK(parsed(secrets, R"({"key":"k","value":{"base64":"AAE="}})", true) ==
        std::string("k|\0\1", 4));
  CHECK(parsed(documents, R"({"key":"k","value":{"x":1,"y":2}})", true) ==
        R"(k|{"x":1,"y":2})");
  for (auto bad : {"", "[]", "{", R"({"value":"v"})", R"({"key":1})",
                   R"({"key":"k","value":5})", R"({"key":"k","time":"5"})",
                   R"({"key":"k","headers":[]})", R"({"key":"k","val":"v"})",
                   R"({"key":"k","headers":{"a":1}})"})
    CHECK(parsed(texts, bad, true).starts_with("refused: "));
  CHECK(parsed(lines, R"({"key":"k","value":"v"})", true) ==
        "refused: topic 'lines' has no keys");
}

TEST_CASE("a record is printed as a line where a line can hold it",
          "[commands]") {
  CHECK(shown(texts, of("k", "v")) == "k\tv");
  CHECK(shown(texts, of("", "")) == "\t");
  CHECK(shown(lines, of(std::nullopt, "a b")) == "a b");
  auto place =
      std::string{R"({"topic":"t","partition":1,"offset":7,"time":1700)"};
  CHECK(shown(texts, of("k", std::nullopt)) ==
        place + R"(,"key":"k","value":null})");
  CHECK(shown(texts, of("a\tb", "v")) ==
        place + R"(,"key":"a\tb","value":"v"})");
  CHECK(shown(texts, of("k", "two\nlines")) ==
        place + R"(,"key":"k","value":"two\nlines"})");
  CHECK(shown(texts, of("k", "\xff")) ==
        place + R"(,"key":"k","value":{"base64":"/w=="}})");
  CHECK(shown(points, of(std::string_view{"\0\0\0\0\0\0\0\5", 8},
                         std::string_view{"\0\0\0\2\0", 5})) ==
        "5\t{\"x\":2,\"name\":null}");
  CHECK(shown(points, of("short", "x")) ==
        place + R"(,"key":{"base64":"c2hvcnQ="},"value":{"base64":"eA=="}})");
  CHECK(shown(documents, of("k", R"({"x":1,"more":2})")) ==
        "k\t{\"x\":1,\"more\":2}");
  CHECK(shown(secrets, of("k", "v")) ==
        place + R"(,"key":"k","value":{"base64":"dg=="}})");
  // A name of a field that JSON has, whatever the header's is.
  auto with_headers = of("k", "v");
  access::set_headers(with_headers, nullptr,
                      [](const void*, std::vector<header>& to) {
                        to.push_back({"\xff", "\xfe"});
                      });
  CHECK(json_line_of(nullptr, with_headers) ==
        place + R"(,"key":"k","value":"v","headers":{"�":)"
                R"({"base64":"/g=="}}})");
  // Of unknown types.
  CHECK(line_of(nullptr, of("k", "v")) == "k\tv");
  CHECK(json_line_of(nullptr, of("k", "\xff")) ==
        place + R"(,"key":"k","value":{"base64":"/w=="}})");
}

TEST_CASE("whatever a side holds is shown as valid JSON on one line",
          "[commands]") {
  using namespace std::string_literals;
  auto text = detail::value_text<std::string>;
  auto key = detail::key_text<std::string>;
  auto as_json = detail::value_text<json<typed::point>>;
  CHECK(json_of(text, "a\0b"s) == R"("a\u0000b")");
  CHECK(json_of(text, "a\nb\"\\") == R"("a\nb\"\\")");
  CHECK(json_of(text, "\xc3\xa9") == "\"\xc3\xa9\"");
  // A byte of a longer letter, one letter too long, a lone surrogate, a letter
  // beyond all.
  for (auto bad :
       {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
    for (auto* side : {text, key, static_cast<decltype(text)>(nullptr)}) {
      auto shown = json_of(side, bad);
      CHECK(shown.starts_with(R"({"base64":")"));
      CHECK(nlohmann::json::accept(shown));
    }
  // JSON that is stored, which may have more than the job reads.
  CHECK(json_of(as_json, "{\"x\":1,\r\t\"more\":2}") ==
        "{\"x\":1,  \"more\":2}");
  for (auto bad : {"{\"x\":1,\"more\":\"\xff\"}", R"({"x":1,"more":"\ud800"})",
                   R"({"x":1,"more":[1,,2]})", R"({"x":1,"more":truth})",
                   "{\"x\":1}}", "{\"x\":1,\"name\":\"\xed\xa0\x80\"}"}) {
    INFO(bad);
    auto shown = json_of(as_json, bad);
    CHECK(shown.starts_with(R"({"base64":")"));
    CHECK(nlohmann::json::accept(shown));
  }
}
