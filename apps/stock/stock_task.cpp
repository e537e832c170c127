#include "apps/stock/stock_task.hpp"

namespace stock {

void stock_task::trade(std::string_view symbol, const tick& x) {
  if (auto good = check(symbol, x); !good)
    return reject(good.error().text());
  auto& now = quotes_[symbol];
  if (auto applied = apply(x, now); !applied)
    return reject(applied.error().text());
  changes_.emit(symbol, {symbol, now.price, now.quantity, now.change_rate});
}

} // namespace stock
