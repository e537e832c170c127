// The state of the stock application: what is known of one symbol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/error.hpp>
#include <weir/json.hpp>
#include <weir/serde.hpp>

#include "apps/stock/tick.hpp"

namespace stock {

/// A price of 0 means: no tick so far (a tick's price is positive).
struct quote {
  double price = 0;
  /// The sum over all ticks.
  std::int64_t quantity = 0;
  /// Of the last tick, in percent of the price before it.
  double change_rate = 0;

  friend bool operator==(const quote&, const quote&) = default;
};
WEIR_FIELDS(quote, price, quantity, change_rate)

/// A quote as it is told after each tick.
struct change {
  std::string_view symbol;
  double price = 0;
  std::int64_t quantity = 0;
  double change_rate = 0;
};
WEIR_FIELDS(change, symbol, price, quantity, change_rate)

/// Adds a tick to a symbol's state.
/// Errors: `bad_format` when the sum of quantities overflows, or when the
/// change rate is too large for a double; the state is then unchanged.
weir::result<void> apply(const tick& x, quote& state);

} // namespace stock

/// The stored form: price, quantity, change rate, each 8 bytes little-endian.
/// A change of it is a new store version.
template <>
struct weir::serde<stock::quote> {
  static constexpr std::string_view type_name = "stock.quote/1";
  static constexpr std::size_t size = 24;
  static void encode(const stock::quote& x, std::string& out);
  static bool decode(std::string_view bytes, stock::quote& x);
};
