#include "actors/failure/parked.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

namespace weir {

namespace {

using nlohmann::json;

constexpr int format_version = 1;
constexpr std::size_t most_text = 4096;
constexpr std::size_t most_kept_text = 1000;
/// Kafka's own.
constexpr std::size_t most_topic = 249;
/// Writing what nests deeper would take the stack.
constexpr int most_depth = 32;

constexpr std::pair<parked_kind, const char*> kinds[] = {
    {parked_kind::bad_record, "bad_record"},
    {parked_kind::exception, "exception"},
    {parked_kind::too_large, "too_large"},
    {parked_kind::stuck, "stuck"},
    {parked_kind::lost_input, "lost_input"},
    {parked_kind::corruption, "corruption"},
    {parked_kind::data_loss, "data_loss"}};

constexpr std::pair<parked_decision, const char*> decisions[] = {
    {parked_decision::none, "none"},
    {parked_decision::resume, "resume"},
    {parked_decision::skip, "skip"},
    {parked_decision::dead_letter, "dead_letter"}};

constexpr std::array known{
    "format",    "why",         "kind",      "who",        "when_ms",
    "attempts",  "topic",       "partition", "offset",     "until",
    "key_bytes", "value_bytes", "decision",  "decided_by", "decided_ms",
    "reason",    "more_gaps",   "kept"};

template <class T, std::size_t N>
std::string_view name_of(const std::pair<T, const char*> (&names)[N], T x) {
  for (auto& [value, name] : names)
    if (value == x)
      return name;
  return "unknown";
}

template <class T, std::size_t N>
std::optional<T> value_of(const std::pair<T, const char*> (&names)[N],
                          std::string_view x) {
  for (auto& [value, name] : names)
    if (x == name)
      return value;
  return std::nullopt;
}

failure bad(const std::string& what) {
  return fail(ec::bad_format, "a parked task's node: " + what);
}

/// None if the text is no object or nests too deep.
json parse_object(const std::string& text) {
  bool too_deep = false;
  auto shallow = [&](int depth, json::parse_event_t, json&) {
    too_deep |= depth > most_depth;
    return !too_deep;
  };
  auto out = json::parse(text, shallow, false);
  if (too_deep || out.is_discarded() || !out.is_object())
    return nullptr;
  return out;
}

/// A number that is no integer, or does not fit, is refused and not cut.
/// Throws like the library, for `decode_parked`.
std::int64_t integer(const json& in, const char* name, std::int64_t least,
                     std::int64_t most = INT64_MAX) {
  auto& x = in.at(name);
  bool fits = x.is_number_unsigned()
                  ? x.get<std::uint64_t>() <= std::uint64_t{INT64_MAX}
                  : x.is_number_integer();
  if (!fits || x.get<std::int64_t>() < least || x.get<std::int64_t>() > most)
    throw std::out_of_range{std::string{name} +
                            " is not a whole number in range"};
  return x.get<std::int64_t>();
}

/// Calls `read(element)` for each of a list; a missing one is of a program that
/// did not write it yet. Throws like the library.
template <class Read>
void read_list(const json& in, const char* name, Read read) {
  if (!in.contains(name))
    return;
  if (!in.at(name).is_array())
    throw std::out_of_range{std::string{name} + " is not a list"};
  for (auto& each : in.at(name))
    read(each);
}

void read_lists(const json& in, parked_node& out) {
  read_list(in, "more_gaps", [&](const json& x) {
    out.more_gaps.push_back({x.at("topic").get<std::string>(),
                             integer(x, "offset", 0), integer(x, "until", 1)});
  });
  read_list(in, "kept", [&](const json& x) {
    auto decision = value_of(decisions, x.at("decision").get<std::string>());
    if (decision != parked_decision::skip &&
        decision != parked_decision::dead_letter)
      throw std::out_of_range{"kept is not of what passes a record"};
    out.kept.push_back({*decision, x.at("topic").get<std::string>(),
                        integer(x, "offset", 0), integer(x, "until", -1),
                        x.at("why").get<std::string>()});
  });
}

void read_fields(const json& in, parked_node& out) {
  in.at("why").get_to(out.why);
  in.at("who").get_to(out.who);
  out.when_ms = integer(in, "when_ms", 0);
  out.attempts = static_cast<int>(integer(in, "attempts", 0, INT32_MAX));
  in.at("topic").get_to(out.topic);
  out.partition = static_cast<int>(integer(in, "partition", -1, INT32_MAX));
  out.offset = integer(in, "offset", -1);
  out.until = integer(in, "until", -1);
  out.key_bytes = integer(in, "key_bytes", -1);
  out.value_bytes = integer(in, "value_bytes", -1);
  in.at("decided_by").get_to(out.decided_by);
  out.decided_ms = integer(in, "decided_ms", 0);
  in.at("reason").get_to(out.reason);
  read_lists(in, out);
}

result<void> check_lists(const parked_node& x) {
  if (x.kind != parked_kind::lost_input && !x.more_gaps.empty())
    return bad("'more_gaps' does not fit the kind");
  auto named = [](const auto& each) {
    return !each.topic.empty() && each.topic.size() <= most_topic;
  };
  for (auto& each : x.more_gaps)
    if (!named(each) || each.until <= each.offset)
      return bad("a gap has no topic or no records");
  for (auto& each : x.kept)
    if (!named(each) || (each.is_gap() && each.until <= each.offset))
      return bad("what is kept has no topic or no records");
  return {};
}

result<void> check_fields(const parked_node& x) {
  if (x.topic.size() > most_topic)
    return bad("the topic's name is too long");
  if (x.topic.empty() != (x.offset < 0) || x.topic.empty() != (x.partition < 0))
    return bad("topic, partition and offset do not fit together");
  if (x.kind == parked_kind::lost_input ? x.offset < 0 || x.until <= x.offset
                                        : x.until != -1)
    return bad("'until' does not fit the kind");
  return check_lists(x);
}

std::string cut(const std::string& text, std::size_t most = most_text) {
  return text.substr(0, most);
}

/// The record (without an end), or every gap; none where it was in neither.
std::vector<input_gap> places_of(const parked_node& x) {
  if (!x.has_record())
    return {};
  std::vector<input_gap> out{{x.topic, x.offset, x.until}};
  out.insert(out.end(), x.more_gaps.begin(), x.more_gaps.end());
  return out;
}

/// Without an end it is a record.
std::string text_of(const input_gap& x, int partition) {
  auto out = x.topic + "/" + std::to_string(partition) + "@" +
             std::to_string(x.offset);
  if (x.until >= 0)
    out += ".." + std::to_string(x.until - 1) + " (" +
           std::to_string(x.until - x.offset) + " offsets)";
  return out;
}

json to_json(const std::vector<input_gap>& gaps) {
  auto out = json::array();
  for (auto& each : gaps)
    out.push_back({{"topic", each.topic},
                   {"offset", each.offset},
                   {"until", each.until}});
  return out;
}

json to_json(const std::vector<open_decision>& kept) {
  auto out = json::array();
  for (auto& each : kept)
    out.push_back({{"decision", to_string(each.decision)},
                   {"topic", each.topic},
                   {"offset", each.offset},
                   {"until", each.until},
                   {"why", cut(each.why, most_kept_text)}});
  return out;
}

} // namespace

std::string_view to_string(parked_kind x) noexcept {
  return name_of(kinds, x);
}

std::string_view to_string(parked_decision x) noexcept {
  return name_of(decisions, x);
}

bool is_about_state(const parked_node& x) noexcept {
  return x.kind == parked_kind::corruption || x.kind == parked_kind::data_loss;
}

std::string place_of(const parked_node& x) {
  std::string out;
  for (auto& each : places_of(x))
    out += (out.empty() ? "" : ", ") + text_of(each, x.partition);
  return out;
}

std::string place_of(const open_decision& x, int partition) {
  return text_of({x.topic, x.offset, x.until}, partition);
}

std::vector<open_decision> open_decisions(const parked_node& x) {
  std::vector<open_decision> out;
  bool passes = x.decision == parked_decision::skip ||
                x.decision == parked_decision::dead_letter;
  if (passes && x.has_record())
    for (auto& each : places_of(x))
      out.push_back({x.decision, each.topic, each.offset, each.until, x.why});
  out.insert(out.end(), x.kept.begin(), x.kept.end());
  return out;
}

bool writes_dead_letters(const parked_node& x) {
  auto open = open_decisions(x);
  return std::any_of(open.begin(), open.end(), [](auto& each) {
    return each.decision == parked_decision::dead_letter;
  });
}

void keep_decisions(parked_node& next, const parked_node& found) {
  auto places = places_of(next);
  for (auto& each : open_decisions(found))
    if (std::none_of(places.begin(), places.end(), [&](const input_gap& x) {
          return x.topic == each.topic && x.offset == each.offset;
        }))
      next.kept.push_back(std::move(each));
}

bool is_same_stop(const parked_node& x, const parked_node& y) noexcept {
  return x.who == y.who && x.when_ms == y.when_ms && x.kind == y.kind &&
         x.topic == y.topic && x.partition == y.partition &&
         x.offset == y.offset;
}

std::string encode(const parked_node& x) {
  auto out = parse_object(x.unknown);
  if (!out.is_object())
    out = json::object();
  out.update({{"format", format_version},
              {"why", cut(x.why)},
              {"kind", to_string(x.kind)},
              {"who", cut(x.who)},
              {"when_ms", x.when_ms},
              {"attempts", x.attempts},
              {"topic", x.topic},
              {"partition", x.partition},
              {"offset", x.offset},
              {"until", x.until},
              {"key_bytes", x.key_bytes},
              {"value_bytes", x.value_bytes},
              {"decision", to_string(x.decision)},
              {"decided_by", cut(x.decided_by)},
              {"decided_ms", x.decided_ms},
              {"reason", cut(x.reason)},
              {"more_gaps", to_json(x.more_gaps)},
              {"kept", to_json(x.kept)}});
  // An exception's text can hold any bytes.
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

result<parked_node> decode_parked(const std::string& text) {
  auto in = parse_object(text);
  if (!in.is_object())
    return bad("it is not a JSON object");
  parked_node out;
  try {
    auto version = integer(in, "format", INT64_MIN);
    if (version != format_version)
      return bad("it has format " + std::to_string(version) +
                 ", this program reads format " +
                 std::to_string(format_version));
    auto kind = value_of(kinds, in.at("kind").get<std::string>());
    auto decision = value_of(decisions, in.at("decision").get<std::string>());
    // Never taken for another one: a newer program knows what it means.
    if (!kind || !decision)
      return bad("its kind or decision is none that this program knows");
    out.kind = *kind;
    out.decision = *decision;
    read_fields(in, out);
  } catch (const std::exception& problem) {
    return bad(problem.what());
  }
  if (auto ok = check_fields(out); !ok)
    return fail(ok.error());
  for (auto* name : known)
    in.erase(name);
  if (!in.empty())
    out.unknown = in.dump();
  return out;
}

result<void> check_decision(const parked_node& x, parked_decision decision) {
  if (decision == parked_decision::none)
    return fail(ec::bad_argument, "this is no decision");
  auto again = decision == parked_decision::resume;
  if (is_about_state(x)) {
    if (again)
      return {};
    return fail(ec::bad_argument,
                "no record is at fault but its state: `adopt` accepts the loss "
                "and starts from what is left, `reset` deletes the job's "
                "state, `resume` alone tries again");
  }
  if (x.kind == parked_kind::lost_input) {
    if (decision == parked_decision::skip)
      return {};
    return fail(ec::bad_argument,
                "the records are deleted, so there is nothing "
                "to read again or to keep: --skip goes on "
                "behind the gap and keeps the state");
  }
  if (again || x.has_record())
    return {};
  return fail(ec::bad_argument, "it failed outside of a record, so there is "
                                "none to pass: `resume` alone tries again");
}

} // namespace weir
