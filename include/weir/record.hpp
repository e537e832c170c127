// A record as a task sees it: a view into a batch.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/detail/export.hpp"

namespace weir {

using duration = std::chrono::milliseconds;
/// Milliseconds since the Unix epoch, UTC.
using time_point = std::chrono::sys_time<duration>;

/// One header of a record. Views live as long as the record's batch.
struct header {
  std::string_view name;
  std::string_view value;
};

/// Where a record is in its topic.
struct position {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  friend bool operator==(const position&, const position&) = default;
};

namespace detail {
struct record_access;
} // namespace detail

/// A record of a partition: valid during the handler's call, cheap to copy.
class WEIR_EXPORT record {
public:
  /// The declared name of its input; empty for what is no input of a task.
  std::string_view input() const noexcept { return input_; }
  /// What the topic is called in this run.
  std::string_view topic() const noexcept { return topic_; }
  std::int32_t partition() const noexcept { return partition_; }
  std::int64_t offset() const noexcept { return offset_; }
  time_point timestamp() const noexcept {
    return time_point{duration{timestamp_}};
  }
  /// Absent and empty are different: a tombstone has no value.
  std::optional<std::string_view> key() const noexcept {
    return has_key_ ? std::optional{key_} : std::nullopt;
  }
  std::optional<std::string_view> value() const noexcept {
    return has_value_ ? std::optional{value_} : std::nullopt;
  }
  /// All headers in order. Not free: parsed on each call, as by `header`.
  std::vector<weir::header> headers() const;
  /// The last one of this name.
  std::optional<std::string_view> header(std::string_view name) const;
  /// "ticks/3@1234", by the topic: the same in every try, for calls that are to
  /// have an effect once.
  std::string id() const;

private:
  friend struct detail::record_access;
  using header_reader = void (*)(const void* native,
                                 std::vector<weir::header>& out);

  std::string_view input_;
  std::string_view topic_;
  std::string_view key_;
  std::string_view value_;
  std::int64_t offset_ = -1;
  std::int64_t timestamp_ = -1;
  const void* native_ = nullptr;
  header_reader read_headers_ = nullptr;
  std::int32_t partition_ = -1;
  bool has_key_ = false;
  bool has_value_ = false;
};

} // namespace weir
