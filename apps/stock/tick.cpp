#include "apps/stock/tick.hpp"

namespace stock {

using weir::ec;
using weir::fail;

weir::result<void> check(std::string_view key, const tick& x) {
  if (key.empty())
    return fail(ec::bad_format, "the key is empty; it must be the symbol");
  if (x.symbol != key)
    return fail(ec::bad_format, "field 'symbol' differs from the record's key");
  if (!(x.price > 0))
    return fail(ec::bad_format, "field 'price' is not positive");
  if (x.quantity < 0)
    return fail(ec::bad_format, "field 'quantity' is negative");
  return {};
}

} // namespace stock
