// Ticks from a file of daily prices.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/stream/record_source.hpp"

namespace stock {

/// Reads a CSV file whose first line names its columns; `symbol`, `date`
/// (YYYY-MM-DD), `close` and `volume` are used, wherever they stand. One tick a
/// row: price = close, quantity = volume, ts = the date at midnight UTC.
/// Fields in quotes are not supported: such a row is refused, not misread.
class csv_ticks : public weir::record_source {
public:
  /// Errors: `bad_argument` for what cannot be opened as a file, `bad_format`
  /// naming what the header lacks.
  static weir::result<csv_ticks> open(const std::string& path);

  /// Errors: `bad_format` naming file, line and column.
  weir::result<bool> next(std::string& key, std::string& value) override;

private:
  explicit csv_ticks(std::string path);

  weir::result<void> read_header();
  bool read_line();
  std::string_view field(std::size_t column) const;
  std::string place(std::string_view column) const;

  std::string path_;
  std::ifstream file_;
  std::string line_;
  std::size_t line_number_ = 0;
  /// Where each field of the line ends.
  std::vector<std::size_t> ends_;
  std::size_t columns_ = 0;
  std::size_t symbol_ = 0;
  std::size_t date_ = 0;
  std::size_t close_ = 0;
  std::size_t volume_ = 0;
};

} // namespace stock
