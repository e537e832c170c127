#include "apps/stock/tick.hpp"

#include <cmath>
#include <string>

#include <simdjson.h>

namespace stock {

using weir::ec;
using weir::fail;
using weir::result;

namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

/// Reads the ticks that are as they should be, in two thirds of the time. It
/// takes a document only when it has visited every value: an on-demand parser
/// checks no others.
class flat_reader {
public:
  /// Nothing: not a valid tick, or one with values that are not flat. The dom
  /// parser has the last word.
  std::optional<tick> read(std::string_view key, std::string_view text) {
    ondemand::document document;
    ondemand::object all;
    if (parser_.iterate(padded(text), text.size(), bytes_.size())
            .get(document) ||
        document.get_object().get(all))
      return std::nullopt;
    found_ = {};
    for (auto each : all) {
      ondemand::field field;
      if (std::move(each).get(field) || !visit(field))
        return std::nullopt;
    }
    const char* rest = nullptr;
    if (document.current_location().get(rest) != simdjson::OUT_OF_BOUNDS)
      return std::nullopt;
    if (found_.symbol != key || !(found_.price > 0) || found_.quantity < 0)
      return std::nullopt;
    return tick{found_.price, found_.quantity};
  }

private:
  struct fields {
    std::optional<std::string_view> symbol;
    double price = 0;
    std::int64_t quantity = -1;
  };

  /// The parser reads whole vectors, so it wants room behind the document.
  const char* padded(std::string_view text) {
    auto wanted = text.size() + simdjson::SIMDJSON_PADDING;
    if (bytes_.size() < wanted)
      bytes_.resize(wanted);
    text.copy(bytes_.data(), text.size());
    return bytes_.data();
  }

  bool visit(ondemand::field& field) {
    std::string_view name;
    ondemand::json_type type;
    if (field.unescaped_key().get(name) || field.value().type().get(type))
      return false;
    switch (type) {
    case ondemand::json_type::string:
      return visit_string(name, field.value());
    case ondemand::json_type::number:
      return visit_number(name, field.value());
    default:
      return false;
    }
  }

  bool visit_string(std::string_view name, ondemand::value value) {
    std::string_view text;
    if (value.get_string().get(text))
      return false;
    if (name == "symbol")
      found_.symbol = text;
    return name != "price" && name != "quantity";
  }

  bool visit_number(std::string_view name, ondemand::value value) {
    ondemand::number number;
    if (value.get_number().get(number))
      return false;
    if (name == "price")
      found_.price = number.as_double();
    else if (name == "quantity" && number.is_int64())
      found_.quantity = number.get_int64();
    else
      return name != "symbol" && name != "quantity";
    return true;
  }

  ondemand::parser parser_;
  std::string bytes_;
  fields found_;
};

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
    if (auto flat = flat_.read(key, value)) [[likely]]
      return *flat;
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
  flat_reader flat_;
  dom::parser parser_;
};

tick_parser::tick_parser() : impl_(std::make_unique<impl>()) {}
tick_parser::~tick_parser() = default;
tick_parser::tick_parser(tick_parser&&) noexcept = default;
tick_parser& tick_parser::operator=(tick_parser&&) noexcept = default;

result<tick> tick_parser::parse(std::optional<std::string_view> key,
                                std::optional<std::string_view> value) {
  if (!key || key->empty())
    return fail(ec::bad_format, "the record has no key; it must be the symbol");
  if (!value || value->empty())
    return fail(ec::bad_format, "the record has no value");
  return impl_->parse(*key, *value);
}

} // namespace stock
