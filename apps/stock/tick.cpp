#include "apps/stock/tick.hpp"

#include <cmath>
#include <string>

#include <simdjson.h>

#include "weir/json.hpp"

namespace stock {

using weir::ec;
using weir::fail;
using weir::result;

namespace {

namespace dom = simdjson::dom;

/// A tick as it mostly is: each field once, and of its type.
struct plain_tick {
  std::string_view symbol;
  double price = 0;
  std::int64_t quantity = 0;
};
WEIR_FIELDS(plain_tick, symbol, price, quantity)

/// The three fields that are read, as they stand in the document.
struct fields {
  std::optional<dom::element> symbol;
  std::optional<dom::element> price;
  std::optional<dom::element> quantity;
};

fields find_fields(dom::object document) {
  fields found;
  for (auto [name, value] : document) {
    if (name == "price")
      found.price = value;
    else if (name == "quantity")
      found.quantity = value;
    else if (name == "symbol")
      found.symbol = value;
  }
  return found;
}

result<void> check_symbol(const fields& found, std::string_view key) {
  if (!found.symbol)
    return fail(ec::bad_format, "field 'symbol' is missing");
  std::string_view symbol;
  if (found.symbol->get_string().get(symbol) != simdjson::SUCCESS)
    return fail(ec::bad_format, "field 'symbol' is not a string");
  if (symbol != key)
    return fail(ec::bad_format, "field 'symbol' differs from the record's key");
  return {};
}

result<double> read_price(const fields& found) {
  if (!found.price)
    return fail(ec::bad_format, "field 'price' is missing");
  double price = 0;
  if (found.price->get_double().get(price) != simdjson::SUCCESS)
    return fail(ec::bad_format, "field 'price' is not a number");
  if (!std::isfinite(price) || price <= 0)
    return fail(ec::bad_format, "field 'price' is not positive and finite");
  return price;
}

result<std::int64_t> read_quantity(const fields& found) {
  if (!found.quantity)
    return fail(ec::bad_format, "field 'quantity' is missing");
  if (found.quantity->is_uint64() && !found.quantity->is_int64())
    return fail(ec::bad_format, "field 'quantity' is larger than 64 bits hold");
  std::int64_t quantity = 0;
  if (found.quantity->get_int64().get(quantity) != simdjson::SUCCESS)
    return fail(ec::bad_format, "field 'quantity' is not an integer");
  if (quantity < 0)
    return fail(ec::bad_format, "field 'quantity' is negative");
  return quantity;
}

} // namespace

class tick_parser::impl {
public:
  result<tick> parse(std::string_view key, std::string_view value) {
    if (plain_.decode(value, read_) && read_.symbol == key && read_.price > 0 &&
        read_.quantity >= 0) [[likely]]
      return tick{read_.price, read_.quantity};
    // The last of two equal fields counts, and a fault is named as it was.
    // The parser reads whole vectors, so it wants room behind the document; it
    // copies into a buffer of its own that it keeps.
    dom::element root;
    auto why = parser_.parse(value.data(), value.size(), true).get(root);
    if (why != simdjson::SUCCESS)
      return fail(ec::bad_format, std::string{"the value is not valid JSON: "} +
                                      simdjson::error_message(why));
    dom::object document;
    if (root.get_object().get(document) != simdjson::SUCCESS)
      return fail(ec::bad_format, "the value is JSON, but not an object");
    auto found = find_fields(document);
    if (auto ok = check_symbol(found, key); !ok)
      return fail(std::move(ok.error()));
    auto price = read_price(found);
    if (!price)
      return fail(std::move(price.error()));
    auto quantity = read_quantity(found);
    if (!quantity)
      return fail(std::move(quantity.error()));
    return tick{*price, *quantity};
  }

private:
  weir::json<plain_tick> plain_;
  plain_tick read_;
  dom::parser parser_;
};

tick_parser::tick_parser() : impl_(std::make_unique<impl>()) {}
tick_parser::~tick_parser() = default;
tick_parser::tick_parser(tick_parser&&) noexcept = default;
tick_parser& tick_parser::operator=(tick_parser&&) noexcept = default;

result<tick> tick_parser::parse(const std::optional<std::string_view>& key,
                                const std::optional<std::string_view>& value) {
  if (!key || key->empty())
    return fail(ec::bad_format, "the record has no key; it must be the symbol");
  if (!value || value->empty())
    return fail(ec::bad_format, "the record has no value");
  return impl_->parse(*key, *value);
}

} // namespace stock
