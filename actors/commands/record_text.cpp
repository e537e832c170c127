#include "actors/commands/record_text.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/bytes/base64.hpp"
#include "runtime/stream/record_access.hpp"
#include "weir/json.hpp"

namespace weir {

namespace {

using document = nlohmann::ordered_json;

bool is_control(char x) {
  return static_cast<unsigned char>(x) < 0x20;
}

std::string base64_json(std::string_view in) {
  auto* at = reinterpret_cast<const std::byte*>(in.data());
  std::string out = "{\"base64\":";
  detail::json_base64({at, at + in.size()}, out);
  return out + '}';
}

/// {"base64":"…"}: the bytes of anything.
std::optional<std::string> bytes_of(const document& x) {
  if (!x.is_object() || x.size() != 1 || !x.contains("base64") ||
      !x["base64"].is_string())
    return std::nullopt;
  bytes out;
  if (!detail::from_base64(x["base64"].get_ref<const std::string&>(), out))
    return std::nullopt;
  return std::string{reinterpret_cast<const char*>(out.data()), out.size()};
}

/// One side of a record as it stands in its JSON.
result<std::string> side_of(const detail::text_ops& side, const document& x) {
  if (auto raw = bytes_of(x))
    return *raw;
  if (side.text && x.is_string())
    return x.get<std::string>();
  if (side.text)
    return fail(ec::bad_argument, "is not a text");
  return typed_bytes(side, x.dump());
}

result<void> read_headers(const document& from, fed_record& out) {
  if (!from.is_object())
    return fail(ec::bad_argument, "'headers' is not an object");
  for (auto& [name, value] : from.items()) {
    if (auto raw = bytes_of(value))
      out.headers.emplace_back(name, *raw);
    else if (value.is_string())
      out.headers.emplace_back(name, value.get<std::string>());
    else
      return fail(ec::bad_argument,
                  fmt::format("header '{}' is not a text", name));
  }
  return {};
}

/// Text that a line can hold; none: JSON has to.
std::optional<std::string> plain_text(const detail::text_ops* side,
                                      std::string_view bytes) {
  // Of unknown types: what is text is one.
  auto out = side != nullptr && !side->text ? json_of(side, bytes)
                                            : std::string{bytes};
  if (std::any_of(out.begin(), out.end(), is_control) ||
      out.starts_with("{\"base64\":"))
    return std::nullopt;
  try {
    static_cast<void>(document(out).dump());
  } catch (const document::exception&) {
    return std::nullopt;
  }
  return out;
}

/// Of a header; what is no UTF-8 in it is replaced, since JSON has no other
/// names.
std::string name_of(std::string_view header) {
  return document(std::string{header})
      .dump(-1, ' ', false, document::error_handler_t::replace);
}

const detail::text_ops* key_side(const part* declared) {
  return declared != nullptr ? declared->key : nullptr;
}
const detail::text_ops* value_side(const part* declared) {
  return declared != nullptr ? declared->value : nullptr;
}

} // namespace

result<std::string> typed_bytes(const detail::text_ops& side,
                                std::string_view typed) {
  if (side.text)
    return std::string{typed};
  if (side.parse == nullptr)
    return fail(ec::bad_argument,
                fmt::format("a {} has no JSON: give its bytes as "
                            "{{\"base64\":\"...\"}} with --format json",
                            side.type()));
  std::string out;
  if (auto done = side.parse(typed, out); !done)
    return fail(ec::bad_argument,
                fmt::format("is no {}: {}", side.type(), done.error().text()));
  return out;
}

std::string json_of(const detail::text_ops* side, std::string_view bytes) {
  std::string out;
  if (side != nullptr && side->show != nullptr && side->show(bytes, out) &&
      document::accept(out)) {
    // Between its parts: in a text it would be escaped.
    std::replace_if(out.begin(), out.end(), is_control, ' ');
    return out;
  }
  if (side == nullptr) {
    try {
      return document(std::string{bytes}).dump();
    } catch (const document::exception&) {
    }
  }
  return base64_json(bytes);
}

result<void> parse_line(const part& input, std::string_view line,
                        fed_record& out) {
  out.key.reset();
  out.value.reset();
  auto value = line;
  if (input.key != nullptr) {
    auto tab = line.find('\t');
    if (tab == line.npos && input.value != nullptr)
      return fail(ec::bad_argument,
                  fmt::format("no tab between key and value: topic '{}' has "
                              "keys",
                              input.name));
    auto key = typed_bytes(*input.key, line.substr(0, tab));
    if (!key)
      return fail(key.error().within("the key"));
    out.key = std::move(*key);
    value = tab == line.npos ? std::string_view{} : line.substr(tab + 1);
  }
  if (input.value == nullptr)
    return {};
  auto bytes = typed_bytes(*input.value, value);
  if (!bytes)
    return fail(bytes.error().within("the value"));
  out.value = std::move(*bytes);
  return {};
}

result<void> parse_json_line(const part& input, std::string_view line,
                             fed_record& out) {
  out = {};
  auto all = document::parse(line, nullptr, false);
  if (!all.is_object())
    return fail(ec::bad_argument, "is not a JSON object");
  for (auto& [name, value] : all.items()) {
    if (name == "key" || name == "value") {
      auto* side = name == "key" ? input.key : input.value;
      if (value.is_null())
        continue;
      if (side == nullptr)
        return fail(ec::bad_argument,
                    fmt::format("topic '{}' has no {}s", input.name, name));
      auto bytes = side_of(*side, value);
      if (!bytes)
        return fail(bytes.error().within("the " + name));
      (name == "key" ? out.key : out.value) = std::move(*bytes);
    } else if (name == "headers") {
      if (auto done = read_headers(value, out); !done)
        return done;
    } else if (name == "time" || name == "partition") {
      if (!value.is_number_integer())
        return fail(ec::bad_argument, "'" + name + "' is not a whole number");
      if (name == "time")
        out.timestamp = value.get<std::int64_t>();
      else
        out.partition = value.get<std::int32_t>();
    } else if (name != "topic" && name != "offset") {
      return fail(ec::bad_argument,
                  "'" + name +
                      "' is none of key, value, headers, time and "
                      "partition");
    }
  }
  if (input.key != nullptr && !out.key)
    return fail(ec::bad_argument, "field 'key' is missing");
  return {};
}

std::string json_line_of(const part* declared, const record& x) {
  std::string out =
      fmt::format("{{\"topic\":{},\"partition\":{},\"offset\":{},\"time\":{}",
                  document(std::string{x.topic()}).dump(), x.partition(),
                  x.offset(), detail::record_access::timestamp_ms(x));
  if (x.key())
    out += ",\"key\":" + json_of(key_side(declared), *x.key());
  out += ",\"value\":" +
         (x.value() ? json_of(value_side(declared), *x.value()) : "null");
  auto headers = x.headers();
  for (std::size_t i = 0; i < headers.size(); ++i)
    out += (i == 0 ? ",\"headers\":{" : ",") + name_of(headers[i].name) + ':' +
           json_of(nullptr, headers[i].value);
  return out + (headers.empty() ? "}" : "}}");
}

std::string line_of(const part* declared, const record& x) {
  // A tombstone is no empty value.
  if (!x.value())
    return json_line_of(declared, x);
  auto value = plain_text(value_side(declared), *x.value());
  if (!value)
    return json_line_of(declared, x);
  if (!x.key())
    return *value;
  auto key = plain_text(key_side(declared), *x.key());
  if (!key)
    return json_line_of(declared, x);
  return *key + '\t' + *value;
}

} // namespace weir
