// Invented ticks: the load of benchmarks and of the kill tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/stream/record_source.hpp"

namespace stock {

struct synthetic_options {
  std::uint64_t count = 0;
  /// SYM0000, SYM0001, …; the lower its number, the more ticks a symbol has.
  std::uint32_t symbols = 2'000;
  std::uint64_t seed = 1;
};

/// `count` ticks; symbol number i is drawn with a weight of 1 / (i + 1)^0.9,
/// its price makes a random walk in steps of up to 5 cents. About 100 bytes:
/// {"symbol","price","quantity","ts","exchange","side"}; ts counts milliseconds
/// from a fixed day. The same options give the same bytes.
class synthetic_ticks : public weir::record_source {
public:
  /// Errors: `bad_argument` for no symbols or too many.
  static weir::result<synthetic_ticks> make(const synthetic_options& options);

  weir::result<bool> next(std::string& key, std::string& value) override;
  std::optional<std::uint64_t> total() const override { return count_; }

private:
  /// One column of Walker's alias table: the share of its own symbol, and the
  /// symbol that has the rest.
  struct column {
    std::uint32_t own_share;
    std::uint32_t alias;
  };

  explicit synthetic_ticks(const synthetic_options& options);

  void fill_columns();
  std::uint64_t random() noexcept;
  std::uint32_t draw_symbol() noexcept;

  std::uint64_t count_;
  std::uint64_t made_ = 0;
  std::uint64_t state_;
  std::vector<column> columns_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> cents_;
};

} // namespace stock
