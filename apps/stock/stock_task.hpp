// The stock application: price, accumulated quantity and change rate a symbol.
#pragma once

#include "actors/weir.hpp"
#include "apps/stock/quote.hpp"
#include "apps/stock/tick.hpp"

namespace stock {

class stock_task : public weir::task {
public:
  explicit stock_task(const weir::task_setup& setup)
      : task(setup), quotes_(store<std::string, quote>("quotes")),
        changes_(output<std::string, std::string>("changes")) {}

  void process(const weir::record& x) override;

private:
  weir::kv_store<std::string, quote> quotes_;
  weir::output<std::string, std::string> changes_;
  tick_parser parser_;
  std::string text_;
};

} // namespace stock
