// JSON that is read: first as a plain document, and what is not plain with
// simdjson's on-demand parser, which knows all of JSON and what is wrong with a
// document. It checks only what is asked for. So everything is.
#include <bit>
#include <cstdint>
#include <string>

#include <simdjson.h>

#include "runtime/bytes/base64.hpp"
#include "stores/kv/plain_json.hpp"
#include "weir/detail/json_value.hpp"

namespace weir::detail {

namespace ondemand = simdjson::ondemand;

struct json_parser::state {
  /// The parser reads whole vectors, so it wants room behind the document.
  const char* padded(std::string_view text) {
    auto wanted = text.size() + simdjson::SIMDJSON_PADDING;
    if (room.size() < wanted)
      room.resize(wanted);
    text.copy(room.data(), text.size());
    return room.data();
  }
  bool refuse(std::string_view what) {
    if (why.empty())
      why = what;
    return false;
  }
  /// Whether the parser could read it. False: it is of another type, or no
  /// JSON at all.
  bool read(simdjson::error_code problem, std::string_view otherwise) {
    if (problem == simdjson::SUCCESS)
      return true;
    return problem == simdjson::INCORRECT_TYPE ? refuse(otherwise) : broken();
  }
  bool broken() {
    path.clear();
    why = "is not valid JSON";
    return false;
  }
  void is_within(std::string_view name) {
    if (path.empty())
      path = name;
    else
      path = std::string{name} + (path.front() == '[' ? "" : ".") + path;
  }

  /// What is read at present; else simdjson's document.
  plain_json plain;
  bool is_plain = false;
  ondemand::parser parser;
  ondemand::document document;
  std::string room;
  /// Of the value at fault; empty = the document.
  std::string path;
  std::string why;
};

namespace {

constexpr std::string_view too_large = "is larger than 64 bits hold";

/// Of a number's text: digits only, and as JSON wants them.
bool is_integer(std::string_view token) {
  token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  if (token.starts_with('-'))
    token.remove_prefix(1);
  return !token.empty() &&
         token.find_first_not_of("0123456789") == token.npos &&
         (token.front() != '0' || token.size() == 1);
}

/// Reads all of a value that nobody wants. False: it is not valid.
bool visit(ondemand::value value) {
  ondemand::json_type type;
  if (value.type().get(type))
    return false;
  switch (type) {
  case ondemand::json_type::object: {
    ondemand::object all;
    if (value.get_object().get(all))
      return false;
    for (auto each : all) {
      ondemand::field field;
      std::string_view name;
      if (std::move(each).get(field) || field.unescaped_key().get(name) ||
          !visit(field.value()))
        return false;
    }
    return true;
  }
  case ondemand::json_type::array: {
    ondemand::array all;
    if (value.get_array().get(all))
      return false;
    for (auto each : all) {
      ondemand::value element;
      if (std::move(each).get(element) || !visit(element))
        return false;
    }
    return true;
  }
  case ondemand::json_type::number: {
    double x;
    return !value.get_double().get(x);
  }
  case ondemand::json_type::string: {
    std::string_view x;
    return !value.get_string().get(x);
  }
  case ondemand::json_type::boolean: {
    bool x;
    return !value.get_bool().get(x);
  }
  case ondemand::json_type::null: {
    bool x;
    return !value.is_null().get(x) && x;
  }
  }
  return false;
}

} // namespace

// A value is native_, the document where that is null.
#define WEIR_JSON(call)                                                        \
  (native_ != nullptr                                                          \
       ? static_cast<ondemand::value*>(native_)->call                          \
       : static_cast<json_parser::state*>(parser_)->document.call)

bool json_value::refuse(std::string_view why) {
  return static_cast<json_parser::state*>(parser_)->refuse(why);
}

bool json_value::is_null() {
  auto& parser = *static_cast<json_parser::state*>(parser_);
  if (parser.is_plain)
    return parser.plain.is_null();
  bool x = false;
  return !WEIR_JSON(is_null()).get(x) && x;
}

bool json_value::get(bool& x) {
  auto& parser = *static_cast<json_parser::state*>(parser_);
  if (parser.is_plain)
    return parser.plain.get(x);
  return parser.read(WEIR_JSON(get_bool()).get(x), "is not true or false");
}

bool json_value::get_number(number_as as, void* x) {
  auto& parser = *static_cast<json_parser::state*>(parser_);
  ondemand::json_type type;
  if (WEIR_JSON(type()).get(type))
    return parser.broken();
  if (type != ondemand::json_type::number)
    return refuse(as == number_as::real ? "is not a number"
                                        : "is not an integer");
  if (as == number_as::real)
    return !WEIR_JSON(get_double()).get(*static_cast<double*>(x)) ||
           parser.broken();
  std::string_view token;
  if (native_ != nullptr)
    token = static_cast<ondemand::value*>(native_)->raw_json_token();
  else if (parser.document.raw_json_token().get(token))
    return parser.broken();
  ondemand::number number;
  if (WEIR_JSON(get_number()).get(number))
    return is_integer(token) ? refuse(too_large) : parser.broken();
  if (number.is_double())
    return refuse("is not an integer");
  if (as == number_as::signed_integer) {
    if (number.is_uint64())
      return refuse(too_large);
    *static_cast<std::int64_t*>(x) = number.get_int64();
    return true;
  }
  if (number.is_int64() && number.get_int64() < 0)
    return refuse("is negative");
  *static_cast<std::uint64_t*>(x) =
      number.is_int64() ? static_cast<std::uint64_t>(number.get_int64())
                        : number.get_uint64();
  return true;
}

bool json_value::get(std::int64_t& x) {
  auto& parser = *static_cast<json_parser::state*>(parser_);
  return parser.is_plain ? parser.plain.get(x)
                         : get_number(number_as::signed_integer, &x);
}
bool json_value::get(std::uint64_t& x) {
  auto& parser = *static_cast<json_parser::state*>(parser_);
  return parser.is_plain ? parser.plain.get(x)
                         : get_number(number_as::unsigned_integer, &x);
}
bool json_value::get(double& x) {
  auto& parser = *static_cast<json_parser::state*>(parser_);
  return parser.is_plain ? parser.plain.get(x)
                         : get_number(number_as::real, &x);
}

bool json_value::get(std::string_view& x) {
  auto& parser = *static_cast<json_parser::state*>(parser_);
  if (parser.is_plain)
    return parser.plain.get(x);
  return parser.read(WEIR_JSON(get_string()).get(x), "is not a text");
}

bool json_value::get_base64(bytes& x) {
  std::string_view text;
  return get(text) && (from_base64(text, x) || refuse("is not base64"));
}

bool json_value::object(std::span<const json_field> fields, void* to) {
  auto& parser = *static_cast<json_parser::state*>(parser_);
  if (parser.is_plain)
    return parser.plain.object(fields, to, *this);
  ondemand::object all;
  if (!parser.read(WEIR_JSON(get_object()).get(all), "is not an object"))
    return false;
  std::uint64_t seen = 0;
  std::size_t next = 0;
  for (auto each : all) {
    ondemand::field field;
    std::string_view name;
    if (std::move(each).get(field) || field.unescaped_key().get(name))
      return parser.broken();
    // Mostly they stand in the order in which they are declared.
    std::size_t i = next;
    if (i >= fields.size() || fields[i].name != name)
      for (i = 0; i < fields.size() && fields[i].name != name; ++i)
        ;
    if (i == fields.size()) {
      if (!visit(field.value()))
        return parser.broken();
      continue;
    }
    auto bit = std::uint64_t{1} << i;
    json_value value{&field.value(), parser_};
    if ((seen & bit) != 0 ? !refuse("stands twice")
                          : !fields[i].read(value, to)) {
      if (parser.why.empty())
        refuse("is not as it should be");
      parser.is_within(fields[i].name);
      return false;
    }
    seen |= bit;
    next = i + 1;
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if ((seen >> i & 1) != 0)
      continue;
    if (fields[i].absent == nullptr) {
      parser.is_within(fields[i].name);
      return refuse("is missing");
    }
    fields[i].absent(to);
  }
  return true;
}

bool json_value::array(void* to,
                       bool (*element)(void*, std::size_t, json_value&)) {
  auto& parser = *static_cast<json_parser::state*>(parser_);
  if (parser.is_plain)
    return parser.plain.array(to, element, *this);
  ondemand::array all;
  if (!parser.read(WEIR_JSON(get_array()).get(all), "is not an array"))
    return false;
  std::size_t index = 0;
  for (auto each : all) {
    ondemand::value native;
    if (std::move(each).get(native))
      return parser.broken();
    json_value value{&native, parser_};
    if (!element(to, index, value)) {
      if (parser.why.empty())
        refuse("is not as it should be");
      parser.is_within("[" + std::to_string(index) + "]");
      return false;
    }
    ++index;
  }
  return true;
}

#undef WEIR_JSON

json_parser::json_parser() noexcept = default;
json_parser::json_parser(json_parser&&) noexcept = default;
json_parser& json_parser::operator=(json_parser&&) noexcept = default;
json_parser::~json_parser() = default;

result<void> json_parser::read(std::string_view text, void* to,
                               bool (*read)(json_value&, void*)) {
  if (!state_)
    state_ = std::make_unique<state>();
  auto& s = *state_;
  s.plain = plain_json{text};
  s.is_plain = true;
  json_value whole{nullptr, &s};
  auto plain = read(whole, to) && s.plain.is_at_end();
  s.is_plain = false;
  if (plain) [[likely]]
    return {};
  s.path.clear();
  s.why.clear();
  bool done = false;
  const char* rest = nullptr;
  // Before its size is asked for.
  auto* padded = s.padded(text);
  auto problem =
      s.parser.iterate(padded, text.size(), s.room.size()).get(s.document);
  if (problem == simdjson::UTF8_ERROR) {
    s.refuse("is not UTF-8");
  } else if (problem) {
    s.broken();
  } else {
    done = read(whole, to);
    // Behind the end there is nothing, or it is no document.
    if (done &&
        s.document.current_location().get(rest) != simdjson::OUT_OF_BOUNDS)
      done = s.broken();
  }
  if (done)
    return {};
  if (s.why.empty())
    s.refuse("is not as it should be");
  return fail(ec::bad_format, s.path.empty()
                                  ? "the document " + s.why
                                  : "field '" + s.path + "' " + s.why);
}

} // namespace weir::detail
