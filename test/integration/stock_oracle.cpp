#include "test/integration/stock_oracle.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <nlohmann/json.hpp>

namespace weir::test {

namespace {

constexpr std::size_t described_failures = 10;

using json = nlohmann::json;

struct plain_tick {
  double price;
  std::int64_t quantity;
};

/// An integer that fits 64 signed bits.
std::optional<std::int64_t> integer(const json& x) {
  if (!x.is_number_integer())
    return std::nullopt;
  if (x.is_number_unsigned() &&
      x.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
    return std::nullopt;
  return x.get<std::int64_t>();
}

std::optional<plain_tick> read_tick(const seen_record& x) {
  auto document = json::parse(x.value, nullptr, false);
  if (!document.is_object() || x.key.empty())
    return std::nullopt;
  auto symbol = document.value("symbol", json{});
  auto price = document.value("price", json{});
  auto quantity = integer(document.value("quantity", json{}));
  if (!symbol.is_string() || symbol.get<std::string>() != x.key ||
      !price.is_number() || !quantity || *quantity < 0)
    return std::nullopt;
  auto number = price.get<double>();
  if (!std::isfinite(number) || number <= 0)
    return std::nullopt;
  return plain_tick{number, *quantity};
}

struct state_fields {
  double price;
  std::int64_t quantity;
  double change_rate;
};

std::optional<state_fields> read_state(const json& x) {
  if (!x.is_object())
    return std::nullopt;
  auto price = x.value("price", json{});
  auto quantity = integer(x.value("quantity", json{}));
  auto rate = x.value("change_rate", json{});
  if (!price.is_number() || !quantity || !rate.is_number())
    return std::nullopt;
  return state_fields{price.get<double>(), *quantity, rate.get<double>()};
}

} // namespace

void stock_oracle::failed(std::string text) {
  if (++failures_ <= described_failures)
    texts_.push_back(std::move(text));
}

void stock_oracle::input(const seen_record& x) {
  ++inputs_;
  auto tick = read_tick(x);
  std::int64_t sum = 0;
  history* of = nullptr;
  change last;
  if (tick) {
    of = &keys_[std::string{x.key}];
    of->partition = x.partition;
    if (!of->expected.empty())
      last = of->expected.back();
  }
  if (!tick || __builtin_add_overflow(last.quantity, tick->quantity, &sum)) {
    ++skipped_;
    if (!options_.skip_bad)
      failed("an input of key '" + std::string{x.key} +
             "' is no tick: " + std::string{x.value});
    return;
  }
  auto rate = of->expected.empty()
                  ? 0.0
                  : (tick->price - last.price) / last.price * 100;
  of->expected.push_back({tick->price, sum, rate, x.timestamp});
}

/// Whether `got` was seen already: after a crash the job goes back to its last
/// commit and emits the same again.
bool stock_oracle::accept_repeat(history& of, const change& got) const {
  auto seen = of.expected.begin() + static_cast<std::ptrdiff_t>(of.complete);
  auto [from, to] =
      std::equal_range(of.expected.begin(), seen, got, [](auto& a, auto& b) {
        return a.quantity < b.quantity;
      });
  auto found = std::find(from, to, got);
  if (found == to)
    return false;
  of.next = static_cast<std::size_t>(found - of.expected.begin()) + 1;
  return true;
}

void stock_oracle::output(const seen_record& x) {
  ++outputs_;
  auto where = "output " + std::string{x.value} + ", partition " +
               std::to_string(x.partition);
  auto document = json::parse(x.value, nullptr, false);
  auto fields = read_state(document);
  if (!fields || document.size() != 4 ||
      document.value("symbol", json{}) != std::string{x.key})
    return failed(where + ": not in the fixed form");
  auto found = keys_.find(std::string{x.key});
  if (found == keys_.end())
    return failed(where + ": no input has this key");
  auto& of = found->second;
  if (x.partition != of.partition)
    failed(where + ": the key belongs to partition " +
           std::to_string(of.partition));
  change got{fields->price, fields->quantity, fields->change_rate, x.timestamp};
  if (of.next < of.expected.size() && of.expected[of.next] == got) {
    ++of.next;
    repeated_ += of.next <= of.complete;
    of.complete = std::max(of.complete, of.next);
    return;
  }
  // A replaced owner's last outputs may come late, between those of the next.
  if (options_.at_least_once && of.complete < of.expected.size() &&
      of.expected[of.complete] == got) {
    of.next = ++of.complete;
    return;
  }
  if (options_.at_least_once && accept_repeat(of, got)) {
    ++repeated_;
    return;
  }
  if (of.complete == of.expected.size())
    return failed(where + ": more outputs than the " +
                  std::to_string(of.expected.size()) + " ticks of the key");
  auto& wanted = of.expected[of.next];
  failed(where + ", timestamp " + std::to_string(x.timestamp) +
         ": expected as number " + std::to_string(of.next) + " of the key " +
         "price " + json(wanted.price).dump() + ", quantity " +
         std::to_string(wanted.quantity) + ", change rate " +
         json(wanted.change_rate).dump() + ", timestamp " +
         std::to_string(wanted.timestamp));
}

void stock_oracle::outputs_end() {
  for (auto& [key, of] : keys_)
    if (of.complete != of.expected.size())
      failed("key '" + key + "': " + std::to_string(of.complete) +
             " outputs in order for " + std::to_string(of.expected.size()) +
             " ticks");
}

void stock_oracle::state(std::istream& dump) {
  std::size_t lines = 0;
  std::string last;
  for (std::string line; std::getline(dump, line); ++lines) {
    auto document = json::parse(line, nullptr, false);
    auto key = document.is_object() ? document.value("key", json{}) : json{};
    auto fields = document.is_object()
                      ? read_state(document.value("value", json{}))
                      : std::nullopt;
    if (!key.is_string() || !fields) {
      failed("state: not in the fixed form: " + line);
      continue;
    }
    auto name = key.get<std::string>();
    if (lines > 0 && name <= last)
      failed("state: key '" + name + "' does not come after '" + last + "'");
    last = name;
    auto found = keys_.find(name);
    if (found == keys_.end() || found->second.expected.empty()) {
      failed("state: no input has the key of " + line);
      continue;
    }
    auto& wanted = found->second.expected.back();
    if (fields->price != wanted.price || fields->quantity != wanted.quantity ||
        fields->change_rate != wanted.change_rate)
      failed("state: expected price " + json(wanted.price).dump() +
             ", quantity " + std::to_string(wanted.quantity) +
             ", change rate " + json(wanted.change_rate).dump() + ", got " +
             line);
  }
  auto wanted = static_cast<std::size_t>(
      std::count_if(keys_.begin(), keys_.end(),
                    [](auto& x) { return !x.second.expected.empty(); }));
  if (lines != wanted)
    failed("state: " + std::to_string(lines) + " keys for " +
           std::to_string(wanted) + " keys of the input");
}

} // namespace weir::test
