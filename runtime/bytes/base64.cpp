#include "runtime/bytes/base64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace weir::detail {

namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto make_values() {
  std::array<std::int8_t, 256> out{};
  out.fill(-1);
  for (std::size_t i = 0; i < digits.size(); ++i)
    out[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
  return out;
}
constexpr auto values = make_values();

} // namespace

void to_base64(const bytes& x, std::string& out) {
  for (std::size_t i = 0; i < x.size(); i += 3) {
    std::uint32_t group = 0;
    auto size = std::min<std::size_t>(3, x.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < size ? std::to_integer<unsigned>(x[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= size ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
}

bool from_base64(std::string_view text, bytes& x) {
  x.clear();
  if (text.size() % 4 != 0)
    return false;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    auto group = text.substr(i, 4);
    auto size = group.size();
    if (i + 4 == text.size())
      while (size > 2 && group[size - 1] == '=')
        --size;
    std::uint32_t all = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      auto value = k < size ? values[static_cast<unsigned char>(group[k])] : 0;
      if (value < 0)
        return false;
      all = all << 6 | static_cast<std::uint32_t>(value);
    }
    // What padding hides is zero.
    if ((all & ((1u << (8 * (4 - size))) - 1)) != 0)
      return false;
    for (std::size_t k = 0; k + 1 < size; ++k)
      x.push_back(static_cast<std::byte>(all >> (16 - 8 * k) & 0xff));
  }
  return true;
}

} // namespace weir::detail
