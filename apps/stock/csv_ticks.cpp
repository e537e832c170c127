#include "apps/stock/csv_ticks.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>
#include <system_error>

#include <weir/json.hpp>

namespace stock {

using weir::ec;
using weir::fail;
using weir::result;

namespace {

/// A tick as it is written; `ts` is in milliseconds since the Unix epoch.
struct csv_tick {
  std::string_view symbol;
  double price = 0;
  std::int64_t quantity = 0;
  std::int64_t ts = 0;
};
WEIR_FIELDS(csv_tick, symbol, price, quantity, ts)

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number out{};
  auto end = text.data() + text.size();
  auto [stop, why] = std::from_chars(text.data(), end, out);
  if (why != std::errc{} || stop != end)
    return std::nullopt;
  return out;
}

/// Midnight UTC of a date YYYY-MM-DD, in milliseconds since the epoch.
std::optional<std::int64_t> parse_date(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  auto y = parse_number<int>(text.substr(0, 4));
  auto m = parse_number<unsigned>(text.substr(5, 2));
  auto d = parse_number<unsigned>(text.substr(8, 2));
  if (!y || !m || !d)
    return std::nullopt;
  auto date = year{*y} / month{*m} / day{*d};
  if (!date.ok())
    return std::nullopt;
  return milliseconds{sys_days{date}.time_since_epoch()}.count();
}

} // namespace

csv_ticks::csv_ticks(std::string path)
    : path_(std::move(path)), file_(path_, std::ios::binary) {}

result<csv_ticks> csv_ticks::open(const std::string& path) {
  // A directory opens, and reads as if it were empty.
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return fail(ec::bad_argument, "file '" + path + "' is a directory");
  errno = 0;
  csv_ticks out{path};
  if (!out.file_)
    return fail(ec::bad_argument, "cannot open file '" + path + "': " +
                                      std::generic_category().message(errno));
  if (auto ok = out.read_header(); !ok)
    return fail(std::move(ok.error()));
  return out;
}

bool csv_ticks::read_line() {
  if (!std::getline(file_, line_))
    return false;
  ++line_number_;
  if (!line_.empty() && line_.back() == '\r')
    line_.pop_back();
  ends_.clear();
  for (std::size_t i = 0; i < line_.size(); ++i)
    if (line_[i] == ',')
      ends_.push_back(i);
  ends_.push_back(line_.size());
  return true;
}

std::string_view csv_ticks::field(std::size_t column) const {
  auto from = column == 0 ? 0 : ends_[column - 1] + 1;
  return std::string_view{line_}.substr(from, ends_[column] - from);
}

std::string csv_ticks::place(std::string_view column) const {
  auto out = path_ + " line " + std::to_string(line_number_);
  if (!column.empty())
    out += ", column '" + std::string{column} + "'";
  return out;
}

result<void> csv_ticks::read_header() {
  if (!read_line())
    return fail(ec::bad_format, "file '" + path_ + "' is empty");
  columns_ = ends_.size();
  auto find = [&](std::string_view name, std::size_t& column) {
    for (column = 0; column < columns_; ++column)
      if (field(column) == name)
        return true;
    return false;
  };
  auto missing = !find("symbol", symbol_)   ? "symbol"
                 : !find("date", date_)     ? "date"
                 : !find("close", close_)   ? "close"
                 : !find("volume", volume_) ? "volume"
                                            : nullptr;
  if (missing != nullptr)
    return fail(ec::bad_format, place("") + ": the header names no column '" +
                                    missing +
                                    "'; needed are symbol,date,close,volume");
  return {};
}

result<bool> csv_ticks::next(std::string& key, std::string& value) {
  do {
    if (!read_line()) {
      if (file_.bad())
        return fail(ec::io_error, place("") + ": reading failed behind it");
      return false;
    }
  } while (line_.empty());
  auto bad = [&](std::string_view column, std::string_view text,
                 std::string_view wanted) {
    return fail(ec::bad_format, place(column) + ": '" + std::string{text} +
                                    "' is not " + std::string{wanted});
  };
  if (line_.find('"') != std::string::npos)
    return fail(ec::bad_format,
                place("") + ": fields in quotes are not supported");
  if (ends_.size() != columns_)
    return fail(ec::bad_format, place("") + ": " +
                                    std::to_string(ends_.size()) +
                                    " fields, but the header names " +
                                    std::to_string(columns_));
  auto symbol = field(symbol_);
  if (symbol.empty())
    return bad("symbol", symbol, "a symbol");
  auto ts = parse_date(field(date_));
  if (!ts)
    return bad("date", field(date_), "a date YYYY-MM-DD");
  auto price = parse_number<double>(field(close_));
  if (!price || !std::isfinite(*price) || *price <= 0)
    return bad("close", field(close_), "a positive number");
  auto quantity = parse_number<std::int64_t>(field(volume_));
  if (!quantity || *quantity < 0)
    return bad("volume", field(volume_), "an integer of at least 0");
  key = symbol;
  value.clear();
  try {
    weir::json<csv_tick>::encode({symbol, *price, *quantity, *ts}, value);
  } catch (const std::exception&) {
    return bad("symbol", symbol, "text in UTF-8");
  }
  return true;
}

} // namespace stock
