#include "apps/stock/quote.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace stock {

using weir::ec;
using weir::fail;
using weir::result;

namespace {

std::uint64_t little_endian(std::uint64_t x) noexcept {
  if constexpr (std::endian::native == std::endian::big)
    return __builtin_bswap64(x);
  return x;
}

template <class T>
void store(char* at, T x) noexcept {
  auto bits = little_endian(std::bit_cast<std::uint64_t>(x));
  std::memcpy(at, &bits, sizeof(bits));
}

template <class T>
T load(const char* at) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, at, sizeof(bits));
  return std::bit_cast<T>(little_endian(bits));
}

} // namespace

result<void> apply(const tick& x, quote& state) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(state.quantity, x.quantity, &sum))
    return fail(ec::bad_format, "field 'quantity' makes the sum of the "
                                "symbol's quantities overflow 64 bits");
  double rate = 0;
  if (state.price > 0)
    rate = (x.price - state.price) / state.price * 100;
  if (!std::isfinite(rate))
    return fail(ec::bad_format, "field 'price' makes the change rate too large "
                                "for a double");
  state = {x.price, sum, rate};
  return {};
}

} // namespace stock

void weir::serde<stock::quote>::encode(const stock::quote& x,
                                       std::string& out) {
  char bytes[size];
  stock::store(bytes, x.price);
  stock::store(bytes + 8, x.quantity);
  stock::store(bytes + 16, x.change_rate);
  out.append(bytes, size);
}

bool weir::serde<stock::quote>::decode(std::string_view bytes,
                                       stock::quote& x) {
  if (bytes.size() != size)
    return false;
  x = {stock::load<double>(bytes.data()),
       stock::load<std::int64_t>(bytes.data() + 8),
       stock::load<double>(bytes.data() + 16)};
  return true;
}
