#include "apps/stock/stock_task.hpp"

namespace stock {

void stock_task::process(const weir::record& x) {
  auto parsed = parser_.parse(x.key(), x.value());
  if (!parsed)
    return reject(parsed.error().text());
  auto symbol = *x.key();
  auto& now = quotes_[symbol];
  if (auto applied = apply(*parsed, now); !applied)
    return reject(applied.error().text());
  text_.clear();
  append_change(symbol, now, text_);
  changes_.emit(symbol, text_);
}

} // namespace stock
