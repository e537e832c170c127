// The input of the stock application: one trade of one symbol.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "weir/error.hpp"

namespace stock {

struct tick {
  /// Positive and finite.
  double price = 0;
  /// Not negative.
  std::int64_t quantity = 0;
};

/// Reads ticks. Owned by a task and used on its thread; keeps its memory from
/// one record to the next, so that a record costs no allocation.
///
/// The whole document must be valid JSON. A tick with each field once, as
/// `weir::json` reads them; what is refused so, simdjson's dom parser decides
/// and names the reason. Limits that come with them: numbers of unread
/// fields must fit a double or 64 bits, nesting ends at 1,024 levels.
class tick_parser {
public:
  tick_parser();
  ~tick_parser();
  tick_parser(tick_parser&&) noexcept;
  tick_parser& operator=(tick_parser&&) noexcept;

  /// The tick of a record. `key` is the symbol and `value` a JSON object with
  /// `symbol`, `price` and `quantity`; of a field that appears twice the last
  /// counts, other fields are ignored.
  /// Errors: `bad_format` with the reason.
  weir::result<tick> parse(const std::optional<std::string_view>& key,
                           const std::optional<std::string_view>& value);

private:
  class impl;
  std::unique_ptr<impl> impl_;
};

} // namespace stock
