// JSON that is written.
#include <charconv>
#include <cmath>
#include <string>

#include <simdjson.h>

#include "runtime/bytes/base64.hpp"
#include "stores/kv/store_error.hpp"
#include "weir/detail/json_value.hpp"

namespace weir::detail {

namespace {

template <class T>
void append_number(T x, std::string& out) {
  char digits[32];
  auto end = std::to_chars(std::begin(digits), std::end(digits), x).ptr;
  out.append(digits, end);
}

template <class T>
void append_finite(T x, std::string& out) {
  if (!std::isfinite(x))
    throw store_error{ec::bad_format, "JSON has no NaN and no infinity: check "
                                      "the numbers before they are written"};
  append_number(x, out);
}

bool needs_escape(char x) noexcept {
  return static_cast<unsigned char>(x) < 0x20 || x == '"' || x == '\\';
}

void append_escaped(char x, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '\\';
  switch (x) {
  case '"':
  case '\\':
    out += x;
    return;
  case '\n':
    out += 'n';
    return;
  case '\r':
    out += 'r';
    return;
  case '\t':
    out += 't';
    return;
  default:
    out += "u00";
    out += digits[static_cast<unsigned char>(x) >> 4];
    out += digits[x & 0xf];
  }
}

} // namespace

void json_number(double x, std::string& out) {
  append_finite(x, out);
}
void json_number(float x, std::string& out) {
  append_finite(x, out);
}
void json_number(std::int64_t x, std::string& out) {
  append_number(x, out);
}
void json_number(std::uint64_t x, std::string& out) {
  append_number(x, out);
}

void json_text(std::string_view x, std::string& out) {
  if (!simdjson::validate_utf8(x.data(), x.size()))
    throw store_error{ec::bad_format,
                      "JSON has no text that is not UTF-8: declare it bytes, "
                      "or another format"};
  out += '"';
  std::size_t done = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!needs_escape(x[i]))
      continue;
    out += x.substr(done, i - done);
    append_escaped(x[i], out);
    done = i + 1;
  }
  out += x.substr(done);
  out += '"';
}

void json_base64(const bytes& x, std::string& out) {
  out += '"';
  to_base64(x, out);
  out += '"';
}

} // namespace weir::detail
