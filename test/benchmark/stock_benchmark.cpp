// What a record costs the stock application itself: reading JSON, the state,
// printing JSON. Compare with the plain loop's whole cost per record.
#include <string>
#include <unordered_map>
#include <vector>

#include <benchmark/benchmark.h>

#include "apps/stock/quote.hpp"
#include "apps/stock/synthetic_ticks.hpp"

namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

const pairs& ticks() {
  static const pairs all = [] {
    pairs out;
    auto source = stock::synthetic_ticks::make({100'000, 2'000, 1});
    std::string key;
    std::string value;
    while (source->next(key, value).value())
      out.emplace_back(key, value);
    return out;
  }();
  return all;
}

void print(const stock::quote& x, std::string_view symbol, std::string& out) {
  weir::json<stock::change>::encode(
      {symbol, x.price, x.quantity, x.change_rate}, out);
}

void generate(benchmark::State& state) {
  auto source = stock::synthetic_ticks::make({UINT64_MAX, 2'000, 1});
  std::string key;
  std::string value;
  for (auto _ : state)
    benchmark::DoNotOptimize(source->next(key, value));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(generate);

void parse(benchmark::State& state) {
  weir::json<stock::tick> format;
  stock::tick x;
  std::size_t i = 0;
  for (auto _ : state) {
    auto& [key, value] = ticks()[i++ % ticks().size()];
    if (!format.decode(value, x) || !stock::check(key, x))
      state.SkipWithError("a synthetic tick was refused");
    benchmark::DoNotOptimize(x);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse);

void print_change(benchmark::State& state) {
  stock::quote quotes[2]{{321.07, 120'000'417, -0.015571473},
                         {99.18, 53'002, 0.0504337}};
  std::string out;
  std::size_t i = 0;
  for (auto _ : state) {
    out.clear();
    print(quotes[i++ % 2], "SYM0042", out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(print_change);

void parse_apply_print(benchmark::State& state) {
  weir::json<stock::tick> format;
  stock::tick x;
  std::unordered_map<std::string, stock::quote> quotes;
  std::string out;
  std::size_t i = 0;
  for (auto _ : state) {
    auto& [key, value] = ticks()[i++ % ticks().size()];
    auto& quote = quotes[key];
    if (!format.decode(value, x) || !stock::check(key, x) ||
        !stock::apply(x, quote))
      state.SkipWithError("a synthetic tick was refused");
    out.clear();
    print(quote, key, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse_apply_print);

void store_bytes(benchmark::State& state) {
  stock::quote quote{321.07, 120'000'417, -0.015571473};
  std::string out;
  for (auto _ : state) {
    out.clear();
    weir::serde<stock::quote>::encode(quote, out);
    benchmark::DoNotOptimize(weir::serde<stock::quote>::decode(out, quote));
  }
}
BENCHMARK(store_bytes);

} // namespace

BENCHMARK_MAIN();
