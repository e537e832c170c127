// How a record is made.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "weir/record.hpp"

namespace weir::detail {

/// For those who fill batches: everything is a view.
struct record_access {
  /// Reads headers of the owner of the batch; called when they are asked for.
  using header_reader = record::header_reader;

  static void set_input(record& x, std::string_view declared) noexcept {
    x.input_ = declared;
  }
  static void set_topic(record& x, std::string_view topic) noexcept {
    x.topic_ = topic;
  }
  static void set_position(record& x, std::int32_t partition,
                           std::int64_t offset,
                           std::int64_t timestamp_ms) noexcept {
    x.partition_ = partition;
    x.offset_ = offset;
    x.timestamp_ = timestamp_ms;
  }
  static void set_key(record& x, std::string_view key) noexcept {
    x.key_ = key;
    x.has_key_ = true;
  }
  static void set_value(record& x, std::string_view value) noexcept {
    x.value_ = value;
    x.has_value_ = true;
  }
  static void set_headers(record& x, const void* native,
                          header_reader reader) noexcept {
    x.native_ = native;
    x.read_headers_ = reader;
  }
  /// Milliseconds since the Unix epoch; -1 = none.
  static std::int64_t timestamp_ms(const record& x) noexcept {
    return x.timestamp_;
  }
};

} // namespace weir::detail
