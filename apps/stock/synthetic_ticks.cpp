#include "apps/stock/synthetic_ticks.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace stock {

using weir::ec;
using weir::fail;
using weir::result;

namespace {

/// 2023-11-14; any fixed day would do.
constexpr std::int64_t first_ts = 1'700'000'000'000;
/// A table of more would not fit into a small machine's memory.
constexpr std::uint32_t most_symbols = 10'000'000;
constexpr double skew = 0.9;
constexpr double share_unit = 4294967296.0; // 2^32
constexpr std::array<std::string_view, 4> exchanges{"XNAS", "XNYS", "XLON",
                                                    "XTKS"};

std::string name_of(std::uint32_t symbol) {
  auto digits = std::to_string(symbol);
  if (digits.size() < 4)
    digits.insert(0, 4 - digits.size(), '0');
  return "SYM" + digits;
}

char* write_text(char* at, std::string_view text) noexcept {
  return at + text.copy(at, text.size());
}

char* write_number(char* at, std::int64_t value) noexcept {
  return std::to_chars(at, at + 32, value).ptr;
}

char* write_cents(char* at, std::int64_t cents) noexcept {
  at = write_number(at, cents / 100);
  auto rest = cents % 100;
  *at++ = '.';
  *at++ = static_cast<char>('0' + rest / 10);
  *at++ = static_cast<char>('0' + rest % 10);
  return at;
}

} // namespace

result<synthetic_ticks>
synthetic_ticks::make(const synthetic_options& options) {
  if (options.symbols == 0 || options.symbols > most_symbols)
    return fail(ec::bad_argument,
                "--symbols must be 1 to " + std::to_string(most_symbols));
  return synthetic_ticks{options};
}

synthetic_ticks::synthetic_ticks(const synthetic_options& options)
    : count_(options.count), state_(options.seed), columns_(options.symbols),
      names_(options.symbols), cents_(options.symbols) {
  for (std::uint32_t i = 0; i < options.symbols; ++i) {
    names_[i] = name_of(i);
    cents_[i] = 1'000 + static_cast<std::int64_t>(random() % 49'000);
  }
  fill_columns();
}

/// Vose's way to build the alias table.
void synthetic_ticks::fill_columns() {
  auto n = columns_.size();
  std::vector<double> share(n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i)
    sum += share[i] = std::pow(static_cast<double>(i + 1), -skew);
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t i = 0; i < n; ++i) {
    share[i] *= static_cast<double>(n) / sum;
    (share[i] < 1 ? small : large).push_back(i);
    columns_[i] = {UINT32_MAX, i};
  }
  while (!small.empty() && !large.empty()) {
    auto less = small.back();
    auto more = large.back();
    small.pop_back();
    columns_[less] = {static_cast<std::uint32_t>(share[less] * share_unit),
                      more};
    share[more] -= 1 - share[less];
    if (share[more] < 1) {
      large.pop_back();
      small.push_back(more);
    }
  }
}

/// splitmix64: 64 good bits from one addition and two multiplications.
std::uint64_t synthetic_ticks::random() noexcept {
  auto x = state_ += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint32_t synthetic_ticks::draw_symbol() noexcept {
  auto bits = random();
  // The upper half picks the column by multiplication, the lower half the side.
  auto i = static_cast<std::uint32_t>(((bits >> 32) * columns_.size()) >> 32);
  return static_cast<std::uint32_t>(bits) < columns_[i].own_share
             ? i
             : columns_[i].alias;
}

result<bool> synthetic_ticks::next(std::string& key, std::string& value) {
  if (made_ == count_)
    return false;
  auto symbol = draw_symbol();
  auto bits = random();
  auto& cents = cents_[symbol];
  auto step = static_cast<std::int64_t>((bits & 0xffff) % 11) - 5;
  cents = std::max<std::int64_t>(cents + step, 100);
  auto quantity = 1 + static_cast<std::int64_t>(((bits >> 16) & 0xffff) % 1000);
  key = names_[symbol];
  char text[192];
  auto at = write_text(text, "{\"symbol\":\"");
  at = write_text(at, key);
  at = write_text(at, "\",\"price\":");
  at = write_cents(at, cents);
  at = write_text(at, ",\"quantity\":");
  at = write_number(at, quantity);
  at = write_text(at, ",\"ts\":");
  at = write_number(at, first_ts + static_cast<std::int64_t>(made_));
  at = write_text(at, ",\"exchange\":\"");
  at = write_text(at, exchanges[(bits >> 32) & 3]);
  at = write_text(at, (bits >> 34) & 1 ? "\",\"side\":\"B\"}"
                                       : "\",\"side\":\"S\"}");
  value.assign(text, at);
  ++made_;
  return true;
}

} // namespace stock
