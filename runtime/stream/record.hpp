// A record as a task, a restore or a test sees it: a view into a batch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// One header of a record. Views live as long as the record's batch.
struct header {
  std::string_view name;
  std::string_view value;
};

/// A record of a partition. A view: valid until the batch that holds it is
/// cleared or polled into again. Cheap to copy.
class record {
public:
  /// How the batch's owner reads headers; parsed only when asked for.
  using header_reader = void (*)(const void* native, std::vector<header>& out);

  record() = default;

  /// Absent and empty are different: a changelog tombstone has no value.
  std::optional<std::string_view> key() const noexcept {
    return has_key_ ? std::optional{key_} : std::nullopt;
  }
  std::optional<std::string_view> value() const noexcept {
    return has_value_ ? std::optional{value_} : std::nullopt;
  }
  std::string_view topic() const noexcept { return topic_; }
  std::int32_t partition() const noexcept { return partition_; }
  std::int64_t offset() const noexcept { return offset_; }
  /// Milliseconds since the Unix epoch.
  std::int64_t timestamp() const noexcept { return timestamp_; }

  /// All headers in order. Not free: parsed on each call.
  std::vector<header> headers() const {
    std::vector<header> out;
    if (read_headers_ != nullptr)
      read_headers_(native_, out);
    return out;
  }

  // -- for the stream implementations

  void set_topic(std::string_view x) noexcept { topic_ = x; }
  void set_position(std::int32_t partition, std::int64_t offset,
                    std::int64_t timestamp_ms) noexcept {
    partition_ = partition;
    offset_ = offset;
    timestamp_ = timestamp_ms;
  }
  void set_key(std::string_view x) noexcept {
    key_ = x;
    has_key_ = true;
  }
  void set_value(std::string_view x) noexcept {
    value_ = x;
    has_value_ = true;
  }
  void set_headers(const void* native, header_reader reader) noexcept {
    native_ = native;
    read_headers_ = reader;
  }

private:
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
