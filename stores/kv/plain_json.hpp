// Reads the documents that most records are, byte by byte: a short one is read
// before a parser of whole vectors has found its structure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "weir/detail/json_value.hpp"

namespace weir::detail {

/// A place in a document. Takes only what is plain: text of ASCII without
/// escapes, numbers of up to 18 digits without an exponent, 32 levels. Every
/// call that answers false has given up: the document may be valid all the
/// same, and another parser has to read it from its start. What it takes, that
/// one would read as the same.
class plain_json {
public:
  plain_json() = default;
  explicit plain_json(std::string_view text) noexcept;

  /// Takes a null, if there is one.
  bool is_null() noexcept { return literal("null"); }
  bool get(bool& x) noexcept;
  bool get(std::int64_t& x) noexcept;
  bool get(std::uint64_t& x) noexcept;
  bool get(double& x) noexcept;
  /// A part of the document.
  bool get(std::string_view& x) noexcept;
  /// Each value is read as `in`.
  bool object(std::span<const json_field> fields, void* to, json_value& in);
  bool array(void* to, bool (*element)(void*, std::size_t, json_value&),
             json_value& in);
  /// Nothing follows.
  bool is_at_end() const noexcept { return at_ == end_; }

private:
  bool literal(std::string_view x) noexcept;
  /// Goes on at `at`; null = given up.
  bool go_on(const char* at) noexcept;

  /// Never at a space.
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  int depth_ = 0;
};

} // namespace weir::detail
