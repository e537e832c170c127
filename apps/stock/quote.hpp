// The state of the stock application: what is known of one symbol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "apps/stock/tick.hpp"
#include "weir/error.hpp"
#include "weir/serde.hpp"

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

/// Adds a tick to a symbol's state.
/// Errors: `bad_format` when the sum of quantities overflows, or when the
/// change rate is too large for a double; the state is then unchanged.
weir::result<void> apply(const tick& x, quote& state);

/// Appends the output record's value:
/// {"symbol":…,"price":…,"quantity":…,"change_rate":…}
void append_change(std::string_view symbol, const quote& state,
                   std::string& out);

/// {"price":…,"quantity":…,"change_rate":…}
std::string to_json(const quote& state);
/// Errors: `bad_format`.
weir::result<quote> quote_from_json(std::string_view text);

} // namespace stock

/// The stored form: price, quantity, change rate, each 8 bytes little-endian.
/// A change of it is a new store version.
template <>
struct weir::serde<stock::quote> {
  static constexpr std::size_t size = 24;
  static void encode(const stock::quote& x, std::string& out);
  static bool decode(std::string_view bytes, stock::quote& x);
};
