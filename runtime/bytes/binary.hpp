// Little-endian integers and length-checked bytes of our own formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::detail {

class binary_writer {
public:
  void u8(std::uint8_t x) { out_ += static_cast<char>(x); }
  void u16(std::uint16_t x) { number(x, 2); }
  void u32(std::uint32_t x) { number(x, 4); }
  void u64(std::uint64_t x) { number(x, 8); }
  void i64(std::int64_t x) { u64(static_cast<std::uint64_t>(x)); }
  void bytes(std::string_view x) { out_.append(x); }

  const std::string& view() const noexcept { return out_; }
  std::string take() { return std::move(out_); }

private:
  void number(std::uint64_t x, int size) {
    for (int i = 0; i < size; ++i)
      out_ += static_cast<char>(x >> (8 * i));
  }

  std::string out_;
};

/// Reads what is there; after the first read beyond the end every read answers
/// zero or nothing and `ok` is false.
class binary_reader {
public:
  explicit binary_reader(std::string_view in) noexcept : in_(in) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::int64_t i64() { return static_cast<std::int64_t>(number(8)); }

  std::string_view bytes(std::size_t size) {
    if (size > in_.size()) {
      ok_ = false;
      in_ = {};
      return {};
    }
    auto out = in_.substr(0, size);
    in_.remove_prefix(size);
    return out;
  }

  bool ok() const noexcept { return ok_; }
  /// Everything was read, and nothing beyond it.
  bool complete() const noexcept { return ok_ && in_.empty(); }
  std::size_t left() const noexcept { return in_.size(); }
  std::string_view rest() const noexcept { return in_; }

private:
  std::uint64_t number(std::size_t size) {
    std::uint64_t out = 0;
    auto raw = bytes(size);
    for (std::size_t i = 0; i < raw.size(); ++i)
      out |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
    return out;
  }

  std::string_view in_;
  bool ok_ = true;
};

} // namespace weir::detail
