#include "runtime/base/addresses.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace weir {

namespace {

bool is_port(std::string_view text) noexcept {
  int number = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() &&
         number > 0 && number < 65'536;
}

bool is_host(std::string_view text) noexcept {
  auto bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  auto legal = [bracketed](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ||
           c == '-' || c == '_' ||
           (bracketed && (c == ':' || c == '%' || c == '[' || c == ']'));
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), legal);
}

} // namespace

bool is_host_and_port(std::string_view text) noexcept {
  auto colon = text.rfind(':');
  return colon != text.npos && is_host(text.substr(0, colon)) &&
         is_port(text.substr(colon + 1));
}

result<void> check_addresses(const std::string& text, bool port_needed) {
  for (std::string_view rest = text;;) {
    auto comma = rest.find(',');
    auto each = rest.substr(0, comma);
    if (!is_host_and_port(each) && (port_needed || !is_host(each)))
      return fail(ec::bad_argument, "'" + std::string{each} +
                                        "' is not HOST:PORT; write "
                                        "HOST:PORT[,HOST:PORT...]");
    if (comma == rest.npos)
      return {};
    rest.remove_prefix(comma + 1);
  }
}

} // namespace weir
