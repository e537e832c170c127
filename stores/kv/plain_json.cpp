#include "stores/kv/plain_json.hpp"

#include <bit>
#include <charconv>
#include <cstring>
#include <iterator>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weir::detail {

namespace {

constexpr int most_depth = 32;
/// More digits may not fit 64 bits.
constexpr std::ptrdiff_t most_digits = 18;
/// A double holds these exactly, and integers to 2^53: a quotient of both is
/// rounded once (Clinger, 1990).
constexpr double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                   1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                   1e14, 1e15, 1e16, 1e17, 1e18};
static_assert(std::size(exact_powers) > most_digits);
constexpr auto most_exact_digits = std::uint64_t{1} << 53;

// Each of the following reads something at `at` and answers the place behind
// it and the spaces that follow; null: it is not there, or not plain.

const char* behind_spaces(const char* at, const char* end) noexcept {
  while (at != end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
    ++at;
  return at;
}

/// At the last character of a value or mark.
inline const char* behind(const char* at, const char* end) noexcept {
  ++at;
  return at != end && *at <= ' ' ? behind_spaces(at, end) : at;
}

inline const char* mark(const char* at, const char* end, char x) noexcept {
  return at != end && *at == x ? behind(at, end) : nullptr;
}

/// What ends a text, or is not plain in one: a quote, a backslash, a control
/// character, or one that is not of ASCII.
bool is_special(char x) noexcept {
  return x == '"' || x == '\\' || static_cast<signed char>(x) < 0x20;
}

inline const char* find_special(const char* at, const char* end) noexcept {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    auto x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    auto ends = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')),
                             _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
    // As signed numbers: those above ASCII are below it too.
    auto special = _mm_or_si128(ends, _mm_cmplt_epi8(x, _mm_set1_epi8(0x20)));
    if (auto mask = static_cast<unsigned>(_mm_movemask_epi8(special)))
      return at + std::countr_zero(mask);
  }
#endif
  while (at != end && !is_special(*at))
    ++at;
  return at;
}

inline const char* text(const char* at, const char* end,
                        std::string_view& x) noexcept {
  if (at == end || *at != '"')
    return nullptr;
  auto* start = at + 1;
  at = find_special(start, end);
  x = {start, static_cast<std::size_t>(at - start)};
  return mark(at, end, '"');
}

/// All digits, and how many of them stand behind the point.
struct decimal {
  std::uint64_t digits = 0;
  int decimals = 0;
  bool negative = false;
  bool integer = true;
};

/// Behind the digits at `at`, without spaces; appends them to `x`, which may
/// overflow.
inline const char* digits(const char* at, const char* end,
                          std::uint64_t& x) noexcept {
  auto sum = x;
  for (; at != end; ++at) {
    auto digit = static_cast<unsigned>(*at) - '0';
    if (digit > 9)
      break;
    sum = sum * 10 + digit;
  }
  x = sum;
  return at;
}

inline const char* number(const char* at, const char* end,
                          decimal& x) noexcept {
  if (at != end && *at == '-') {
    x.negative = true;
    ++at;
  }
  auto* first = at;
  at = digits(at, end, x.digits);
  auto whole = at - first;
  if (whole == 0 || (whole > 1 && *first == '0'))
    return nullptr;
  if (at != end && *at == '.') {
    auto* point = at + 1;
    at = digits(point, end, x.digits);
    x.integer = false;
    x.decimals = static_cast<int>(at - point);
    if (x.decimals == 0)
      return nullptr;
  }
  if (whole + x.decimals > most_digits ||
      (at != end && (*at == 'e' || *at == 'E')))
    return nullptr;
  return behind(at - 1, end);
}

inline const char* word(const char* at, const char* end,
                        std::string_view x) noexcept {
  return std::string_view{at, static_cast<std::size_t>(end - at)}.starts_with(x)
             ? behind(at + x.size() - 1, end)
             : nullptr;
}

/// A value that nobody wants.
const char* anything(const char* at, const char* end, int depth) noexcept {
  if (at == end || depth == most_depth)
    return nullptr;
  std::string_view name;
  decimal ignored;
  auto opened = *at;
  auto closed = static_cast<char>(opened + 2);
  switch (opened) {
  case '"':
    return text(at, end, name);
  case '[':
  case '{':
    at = behind(at, end);
    if (auto* empty = mark(at, end, closed))
      return empty;
    while (true) {
      if (opened == '{') {
        at = text(at, end, name);
        at = at != nullptr ? mark(at, end, ':') : nullptr;
      }
      at = at != nullptr ? anything(at, end, depth + 1) : nullptr;
      if (at == nullptr)
        return nullptr;
      auto* next = mark(at, end, ',');
      if (next == nullptr)
        return mark(at, end, closed);
      at = next;
    }
  case 'n':
    return word(at, end, "null");
  case 't':
    return word(at, end, "true");
  case 'f':
    return word(at, end, "false");
  default:
    return number(at, end, ignored);
  }
}

/// A field's name with its colon. `i` is the one that is expected, and then the
/// one that is there; fields.size(): one that nobody wants.
inline const char* field_name(const char* at, const char* end,
                              std::span<const json_field> fields,
                              std::size_t& i) noexcept {
  std::string_view name;
  at = text(at, end, name);
  if (at == nullptr)
    return nullptr;
  // Mostly they stand in the order in which they are declared.
  if (i >= fields.size() || fields[i].name != name)
    for (i = 0; i < fields.size() && fields[i].name != name; ++i)
      ;
  return mark(at, end, ':');
}

} // namespace

plain_json::plain_json(std::string_view text) noexcept
    : end_(text.data() + text.size()) {
  at_ = behind_spaces(text.data(), end_);
}

bool plain_json::go_on(const char* at) noexcept {
  at_ = at;
  return at != nullptr;
}

bool plain_json::literal(std::string_view x) noexcept {
  auto* next = word(at_, end_, x);
  return next != nullptr && go_on(next);
}

bool plain_json::get(bool& x) noexcept {
  x = literal("true");
  return x || literal("false");
}

bool plain_json::get(std::int64_t& x) noexcept {
  decimal read;
  if (!go_on(number(at_, end_, read)) || !read.integer)
    return false;
  x = static_cast<std::int64_t>(read.digits);
  if (read.negative)
    x = -x;
  return true;
}

bool plain_json::get(std::uint64_t& x) noexcept {
  decimal read;
  if (!go_on(number(at_, end_, read)) || !read.integer || read.negative)
    return false;
  x = read.digits;
  return true;
}

bool plain_json::get(double& x) noexcept {
  decimal read;
  auto* start = at_;
  if (!go_on(number(start, end_, read)))
    return false;
  if (read.digits <= most_exact_digits) [[likely]] {
    x = static_cast<double>(read.digits) / exact_powers[read.decimals];
    if (read.negative)
      x = -x;
    return true;
  }
  return std::from_chars(start, at_, x).ec == std::errc{};
}

bool plain_json::get(std::string_view& x) noexcept {
  return go_on(text(at_, end_, x));
}

bool plain_json::object(std::span<const json_field> fields, void* to,
                        json_value& in) {
  auto* at = depth_ < most_depth ? mark(at_, end_, '{') : nullptr;
  if (at == nullptr)
    return false;
  ++depth_;
  std::uint64_t seen = 0;
  std::size_t i = 0;
  if (auto* empty = mark(at, end_, '}')) {
    at = empty;
  } else {
    while (true) {
      at = field_name(at, end_, fields, i);
      if (at == nullptr)
        return false;
      if (i == fields.size()) {
        at = anything(at, end_, depth_);
      } else {
        auto bit = std::uint64_t{1} << i;
        at_ = at;
        if ((seen & bit) != 0 || !fields[i].read(in, to))
          return false;
        at = at_;
        seen |= bit;
        ++i;
      }
      if (at == nullptr)
        return false;
      auto* next = mark(at, end_, ',');
      if (next == nullptr)
        break;
      at = next;
    }
    at = mark(at, end_, '}');
  }
  for (i = 0; i < fields.size(); ++i) {
    if ((seen >> i & 1) != 0)
      continue;
    if (fields[i].absent == nullptr)
      return false;
    fields[i].absent(to);
  }
  --depth_;
  return go_on(at);
}

bool plain_json::array(void* to,
                       bool (*element)(void*, std::size_t, json_value&),
                       json_value& in) {
  auto* at = depth_ < most_depth ? mark(at_, end_, '[') : nullptr;
  if (at == nullptr)
    return false;
  ++depth_;
  if (auto* empty = mark(at, end_, ']')) {
    at = empty;
  } else {
    for (std::size_t index = 0; at != nullptr; ++index) {
      at_ = at;
      if (!element(to, index, in))
        return false;
      at = mark(at_, end_, ',');
    }
    at = mark(at_, end_, ']');
  }
  --depth_;
  return go_on(at);
}

} // namespace weir::detail
