#include "apps/stock/json_text.hpp"

#include <algorithm>

namespace stock {

namespace {

bool needs_escape(char x) noexcept {
  return static_cast<unsigned char>(x) < 0x20 || x == '"' || x == '\\';
}

void append_escaped(char x, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (x) {
  case '"':
    out += "\\\"";
    return;
  case '\\':
    out += "\\\\";
    return;
  case '\n':
    out += "\\n";
    return;
  case '\r':
    out += "\\r";
    return;
  case '\t':
    out += "\\t";
    return;
  default:
    break;
  }
  if (!needs_escape(x)) {
    out += x;
    return;
  }
  auto byte = static_cast<unsigned char>(x);
  out += "\\u00";
  out += digits[byte >> 4];
  out += digits[byte & 0xf];
}

} // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  if (std::none_of(text.begin(), text.end(), needs_escape)) {
    out += text;
  } else {
    for (char x : text)
      append_escaped(x, out);
  }
  out += '"';
}

} // namespace stock
