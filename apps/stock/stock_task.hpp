// The stock application: price, accumulated quantity and change rate a symbol.
#pragma once

#include <string>
#include <string_view>

#include <weir/weir.hpp>

#include "apps/stock/quote.hpp"
#include "apps/stock/tick.hpp"

namespace stock {

inline constexpr weir::input<std::string, weir::json<tick>> ticks{"ticks"};
inline constexpr weir::store<std::string, quote> quotes{"quotes"};
inline constexpr weir::output<std::string, weir::json<change>> changes{
    "changes"};

class stock_task : public weir::task {
public:
  explicit stock_task(const weir::task_setup& setup) : task(setup) {
    on(ticks, &stock_task::trade);
  }

private:
  void trade(std::string_view symbol, const tick& x);

  weir::use<quotes> quotes_{this};
  weir::use<changes> changes_{this};
};

} // namespace stock
