#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "actors/base/znodes.hpp"
#include "actors/failure/parked.hpp"

using namespace weir;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

parked_node poison() {
  parked_node out;
  out.why = "ticks/3@98431: no JSON";
  out.kind = parked_kind::bad_record;
  out.who = "process 7 on host-a";
  out.when_ms = 1'700'000'000'000;
  out.attempts = 3;
  out.topic = "ticks";
  out.partition = 3;
  out.offset = 98'431;
  out.key_bytes = 4;
  out.value_bytes = 0;
  return out;
}

parked_node gap() {
  auto out = poison();
  out.kind = parked_kind::lost_input;
  out.offset = 100;
  out.until = 132;
  return out;
}

/// A valid node with one field set to something else.
std::string with(const char* field, const json& value) {
  auto out = json::parse(encode(poison()));
  out[field] = value;
  return out.dump();
}

parked_node with_kept() {
  auto out = poison();
  out.kept = {{parked_decision::skip, "trades", 5, 6, "gone"},
              {parked_decision::dead_letter, "ticks", 7, -1, "no JSON"}};
  return out;
}

parked_node two_gaps() {
  auto out = gap();
  out.more_gaps = {{"trades", 5, 6}};
  return out;
}

constexpr parked_kind all_kinds[] = {
    parked_kind::bad_record, parked_kind::exception,  parked_kind::too_large,
    parked_kind::stuck,      parked_kind::lost_input, parked_kind::corruption,
    parked_kind::data_loss};

} // namespace

TEST_CASE("a parked task's node has a path of its own", "[parked]") {
  znode_paths paths{"stock"};
  CHECK(paths.parked() == "/weir/stock/parked");
  CHECK(paths.parked(3) == "/weir/stock/parked/3");
}

TEST_CASE("a parked task's node survives its JSON", "[parked]") {
  auto x = poison();
  x.decision = parked_decision::dead_letter;
  x.decided_by = "op@host-b";
  x.decided_ms = 5;
  x.reason = "ticket 12";
  CHECK(decode_parked(encode(x)) == x);
  CHECK(decode_parked(encode(gap())) == gap());
  CHECK(decode_parked(encode(two_gaps())) == two_gaps());
  CHECK(decode_parked(encode(with_kept())) == with_kept());
  CHECK(decode_parked(encode(parked_node{})) == parked_node{});
  for (auto kind : all_kinds) {
    auto each = kind == parked_kind::lost_input ? gap() : poison();
    each.kind = kind;
    CHECK(decode_parked(encode(each)) == each);
  }
  for (auto decision : {parked_decision::none, parked_decision::resume,
                        parked_decision::skip, parked_decision::dead_letter}) {
    x.decision = decision;
    CHECK(decode_parked(encode(x)) == x);
    CHECK(x.decided() == (decision != parked_decision::none));
  }
}

TEST_CASE("H44: who writes a parked task's node keeps what he does not know",
          "[parked]") {
  auto newer = with("cure", {{"steps", {1, 2}}});
  auto read = decode_parked(newer);
  REQUIRE(read);
  read->decision = parked_decision::skip;
  auto written = json::parse(encode(*read));
  CHECK(written["decision"] == "skip");
  CHECK(written["cure"] == json{{"steps", {1, 2}}});
  CHECK(decode_parked(written.dump()) == *read);
  // What it knows is not taken from there.
  read->unknown = R"({"why":"other","cure":1})";
  CHECK(json::parse(encode(*read))["why"] == poison().why);
}

TEST_CASE("hostile nodes of parked tasks are refused", "[parked]") {
  auto deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (auto& text :
       {std::string{}, std::string{"[]"}, std::string{"{}"},
        std::string{"null"}, std::string{R"({"format":1})"},
        std::string{"\xff\xfe"}, deep, R"({"format":1,"x":)" + deep + "}",
        encode(poison()) + "x"})
    CHECK(decode_parked(text).error().code() == ec::bad_format);
  struct {
    const char* field;
    json value;
  } bad[] = {
      {"why", 1},
      {"who", nullptr},
      {"kind", "worse"},
      {"kind", 3},
      {"decision", "guess"},
      {"when_ms", -1},
      {"when_ms", 1.5},
      {"when_ms", "5"},
      {"attempts", 1LL << 40},
      {"attempts", true},
      {"topic", std::string(250, 't')},
      {"topic", ""},
      {"partition", -1},
      {"partition", 1LL << 40},
      {"offset", -1},
      {"offset", -2},
      {"offset", UINT64_MAX},
      {"until", 98'432},
      {"key_bytes", -2},
      {"value_bytes", json::array()},
      {"reason", json::object()},
      {"more_gaps", "none"},
      {"more_gaps", nullptr},
      {"more_gaps", {{"x", json::parse(encode(two_gaps()))["more_gaps"][0]}}},
      {"kept", nullptr},
      {"kept", json::array({1})},
      {"more_gaps", json::array({{{"topic", "t"}}})},
      // Not of this kind.
      {"more_gaps", json::parse(encode(two_gaps()))["more_gaps"]}};
  for (auto& each : bad) {
    INFO(each.field << " = " << each.value.dump());
    CHECK(decode_parked(with(each.field, each.value)).error().code() ==
          ec::bad_format);
  }
  CHECK_THAT(decode_parked(with("format", 2)).error().text(),
             Contains("has format 2, this program reads format 1"));
  auto empty_gap = gap();
  empty_gap.until = empty_gap.offset;
  CHECK_FALSE(decode_parked(encode(empty_gap)));
  for (auto& each :
       {input_gap{"", 1, 2}, input_gap{"t", 2, 2}, input_gap{"t", -1, 2}}) {
    auto hostile = two_gaps();
    hostile.more_gaps = {each};
    CHECK_FALSE(decode_parked(encode(hostile)));
  }
  for (auto& each : {open_decision{parked_decision::skip, "", 1, -1, ""},
                     open_decision{parked_decision::skip, "t", 2, 2, ""},
                     open_decision{parked_decision::skip, "t", -1, -1, ""},
                     open_decision{parked_decision::resume, "t", 1, -1, ""},
                     open_decision{parked_decision::none, "t", 1, -1, ""}}) {
    auto hostile = with_kept();
    hostile.kept = {each};
    CHECK_FALSE(decode_parked(encode(hostile)));
  }
  // By a program that named one gap only.
  auto older = json::parse(encode(gap()));
  older.erase("more_gaps");
  older.erase("kept");
  CHECK(decode_parked(older.dump()) == gap());
}

TEST_CASE("any bytes in an error's text can be written", "[parked]") {
  auto x = poison();
  x.why = std::string{"\xff\0 \xc3", 4} + std::string(1u << 20, 'x');
  x.reason = std::string(1u << 20, 'y');
  auto text = encode(x);
  CHECK(text.size() < 16'384);
  auto read = decode_parked(text);
  REQUIRE(read);
  CHECK_THAT(read->why, Contains("xxx"));
  // Cut in the middle of a character.
  x.why = std::string(4095, 'x') + "\xc3\xa4";
  CHECK(decode_parked(encode(x)));
  // Nothing of what came with it counts as a field.
  x.unknown = "no object";
  CHECK(decode_parked(encode(x)));
}

TEST_CASE("a place names topic, partition and offset, or the gap", "[parked]") {
  CHECK(place_of(poison()) == "ticks/3@98431");
  CHECK(place_of(gap()) == "ticks/3@100..131 (32 offsets)");
  CHECK(place_of(two_gaps()) ==
        "ticks/3@100..131 (32 offsets), trades/3@5..5 (1 offsets)");
  CHECK(place_of(parked_node{}).empty());
}

TEST_CASE("a decision written since does not make it another stop",
          "[parked]") {
  auto x = poison();
  x.decision = parked_decision::skip;
  CHECK(is_same_stop(x, poison()));
  for (auto change : {+[](parked_node& y) { y.who += "b"; },
                      +[](parked_node& y) { ++y.when_ms; },
                      +[](parked_node& y) { ++y.offset; },
                      +[](parked_node& y) { y.topic = "other"; },
                      +[](parked_node& y) { y.kind = parked_kind::stuck; }}) {
    auto y = poison();
    change(y);
    CHECK_FALSE(is_same_stop(x, y));
  }
}

TEST_CASE("H28: a later stop keeps what was decided and is not carried out",
          "[parked]") {
  parked_node stop;
  stop.why = "its constructor threw";
  auto open = poison();
  SECTION("about a record") {
    open.decision = parked_decision::dead_letter;
    keep_decisions(stop, open);
    CHECK(stop.kept ==
          std::vector<open_decision>{
              {parked_decision::dead_letter, "ticks", 98'431, -1, open.why}});
    // And so does the next one, whatever is decided about this.
    parked_node next;
    SECTION("`resume`") {
      stop.decision = parked_decision::resume;
      keep_decisions(next, stop);
      CHECK(next.kept == stop.kept);
      CHECK(open_decisions(stop) == stop.kept);
    }
    SECTION("`--skip`") {
      stop.topic = "trades";
      stop.partition = 3;
      stop.offset = 4;
      stop.decision = parked_decision::skip;
      keep_decisions(next, stop);
      REQUIRE(next.kept.size() == 2);
      CHECK(next.kept[0].topic == "trades");
      CHECK(next.kept[1] == stop.kept[0]);
    }
  }
  SECTION("about gaps") {
    open = two_gaps();
    open.decision = parked_decision::skip;
    keep_decisions(stop, open);
    REQUIRE(stop.kept.size() == 2);
    CHECK(stop.kept[0].is_gap());
    CHECK(stop.kept[0].until == 132);
    CHECK(stop.kept[1].topic == "trades");
    CHECK(decode_parked(encode(stop)) == stop);
  }
  SECTION("not what has stopped it again") {
    open = two_gaps();
    open.decision = parked_decision::skip;
    stop = gap();
    keep_decisions(stop, open);
    REQUIRE(stop.kept.size() == 1);
    CHECK(stop.kept[0].topic == "trades");
  }
  SECTION("not what was to be tried again, or is not decided") {
    open.decision = GENERATE(parked_decision::resume, parked_decision::none);
    keep_decisions(stop, open);
    CHECK(stop.kept.empty());
  }
}

TEST_CASE("H28: a decision fits what stopped the task", "[parked]") {
  using d = parked_decision;
  for (auto kind : all_kinds) {
    auto x = kind == parked_kind::lost_input ? gap() : poison();
    x.kind = kind;
    bool gone = kind == parked_kind::lost_input;
    bool state =
        kind == parked_kind::corruption || kind == parked_kind::data_loss;
    INFO(to_string(kind));
    CHECK_FALSE(check_decision(x, d::none));
    CHECK(check_decision(x, d::resume).has_value() == !gone);
    CHECK(check_decision(x, d::skip).has_value() == !state);
    CHECK(check_decision(x, d::dead_letter).has_value() == !(gone || state));
  }
  auto hook = parked_node{};
  CHECK(check_decision(hook, d::resume));
  CHECK_THAT(check_decision(hook, d::skip).error().text(),
             Contains("outside of a record"));
  CHECK_THAT(check_decision(gap(), d::resume).error().text(),
             Contains("--skip"));
  auto lost = poison();
  lost.kind = parked_kind::data_loss;
  CHECK_THAT(check_decision(lost, d::skip).error().text(),
             Contains("`adopt`") && Contains("`reset`"));
}
