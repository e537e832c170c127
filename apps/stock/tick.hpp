// The input of the stock application: one trade of one symbol.
#pragma once

#include <cstdint>
#include <string_view>

#include <weir/error.hpp>
#include <weir/json.hpp>

namespace stock {

struct tick {
  /// Also the record's key.
  std::string_view symbol;
  /// Positive.
  double price = 0;
  /// Not negative.
  std::int64_t quantity = 0;
};
WEIR_FIELDS(tick, symbol, price, quantity)

/// What its fields' types don't say. Errors: `bad_format` naming the field.
weir::result<void> check(std::string_view key, const tick& x);

} // namespace stock
