// Writing JSON by hand: the application prints one small object per record, and
// a document tree would cost more than the rest of the work.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace stock {

/// Appends `text` in quotes, escaped as RFC 8259 demands. Bytes above 0x7f are
/// copied: `text` is UTF-8.
void append_json_string(std::string_view text, std::string& out);

/// Writes a number at `at`: the shortest text that reads back as the same
/// double. @pre `value` is finite, 32 bytes are free. Returns the end.
inline char* write_number(char* at, double value) noexcept {
  return std::to_chars(at, at + 32, value).ptr;
}

inline char* write_number(char* at, std::int64_t value) noexcept {
  return std::to_chars(at, at + 32, value).ptr;
}

/// Copies `text` to `at`. Returns the end.
inline char* write_text(char* at, std::string_view text) noexcept {
  return at + text.copy(at, text.size());
}

} // namespace stock
