// Where the command `generate` takes its records from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "weir/error.hpp"

namespace weir {

/// A finite sequence of records, supplied by the application. Used by one
/// thread. The same settings give the same sequence.
class record_source {
public:
  virtual ~record_source() = default;

  /// Replaces `key` and `value` by the next record's; false at the end.
  /// Errors name the place in the source, such as file, line and column.
  virtual result<bool> next(std::string& key, std::string& value) = 0;

  /// How many records there are in all, where that is known beforehand.
  virtual std::optional<std::uint64_t> total() const { return std::nullopt; }
};

} // namespace weir
