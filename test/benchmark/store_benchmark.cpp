// What the store costs a record: get and put of hot keys, a commit's seal and
// apply, a load from the database, and the serdes.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "stores/kv/json_serde.hpp"
#include "weir/store.hpp"
#include "stores/kv/task_state.hpp"
#include "test/driver/memory_backend.hpp"

namespace {

struct quote {
  double price = 0;
  std::int64_t quantity = 0;
  double change_rate = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(quote, price, quantity, change_rate)

} // namespace

template <>
struct weir::serde<quote> : weir::json_serde<quote> {};

namespace weir {
namespace {

std::vector<std::string> make_keys(std::int64_t count) {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < count; ++i)
    out.push_back("SYM" + std::to_string(1000 + i % 9000) +
                  (i < 9000 ? "" : std::to_string(i / 9000)));
  return out;
}

/// A task with `count` keys, committed.
struct fixture {
  explicit fixture(std::int64_t count, std::size_t cache_bytes = 64u << 20)
      : state(database, {cache_bytes}), keys(make_keys(count)) {
    for (auto& key : keys)
      store.put(key, {1.5, 1, 0});
    commit();
  }
  void commit() {
    if (!state.seal() || !state.apply({}))
      throw std::runtime_error("the commit failed");
  }

  memory_backend database;
  task_state state;
  kv_store<std::string, quote> store{
      state.open<std::string, quote>(1, "quotes")};
  std::vector<std::string> keys;
};

void get_hot(benchmark::State& bench) {
  fixture f{bench.range(0)};
  std::size_t i = 0;
  for (auto _ : bench) {
    benchmark::DoNotOptimize(f.store.find(f.keys[i]));
    i = i + 1 == f.keys.size() ? 0 : i + 1;
  }
}
BENCHMARK(get_hot)->Arg(250)->Arg(2000)->Arg(100'000);

/// What the stock job does per tick, without and with the undo of one record.
template <bool Undo>
void get_and_put_hot(benchmark::State& bench) {
  fixture f{bench.range(0)};
  std::size_t i = 0;
  for (auto _ : bench) {
    if constexpr (Undo)
      f.state.begin_record();
    auto* old = f.store.find(f.keys[i]);
    quote now{old->price + 1, old->quantity + 1, 0.5};
    f.store.put(f.keys[i], now);
    if constexpr (Undo)
      f.state.accept_record();
    i = i + 1 == f.keys.size() ? 0 : i + 1;
  }
}
BENCHMARK(get_and_put_hot<false>)->Arg(250)->Arg(2000)->Arg(100'000);
BENCHMARK(get_and_put_hot<true>)->Arg(250)->Arg(2000)->Arg(100'000);

/// Loads with a decode each: the cache has no room.
void get_cold(benchmark::State& bench) {
  fixture f{2000, 0};
  std::size_t i = 0;
  for (auto _ : bench) {
    benchmark::DoNotOptimize(f.store.find(f.keys[i]));
    i = i + 1 == f.keys.size() ? 0 : i + 1;
  }
}
BENCHMARK(get_cold);

/// Time per changed key.
void seal(benchmark::State& bench) {
  fixture f{bench.range(0)};
  for (auto _ : bench) {
    bench.PauseTiming();
    for (auto& key : f.keys)
      f.store.put(key, {2.5, 7, 0.25});
    bench.ResumeTiming();
    benchmark::DoNotOptimize(f.state.seal());
    bench.PauseTiming();
    benchmark::DoNotOptimize(f.state.apply({}));
    bench.ResumeTiming();
  }
  bench.SetItemsProcessed(bench.iterations() * bench.range(0));
}
BENCHMARK(seal)->Arg(250)->Arg(2000);

void apply(benchmark::State& bench) {
  fixture f{bench.range(0)};
  for (auto _ : bench) {
    bench.PauseTiming();
    for (auto& key : f.keys)
      f.store.put(key, {2.5, 7, 0.25});
    benchmark::DoNotOptimize(f.state.seal());
    bench.ResumeTiming();
    benchmark::DoNotOptimize(f.state.apply({}));
  }
  bench.SetItemsProcessed(bench.iterations() * bench.range(0));
}
BENCHMARK(apply)->Arg(250)->Arg(2000);

void json_encode(benchmark::State& bench) {
  quote x{101.25, 123456789, -0.375};
  std::string out;
  for (auto _ : bench) {
    out.clear();
    serde<quote>::encode(x, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(json_encode);

void json_decode(benchmark::State& bench) {
  std::string in;
  serde<quote>::encode({101.25, 123456789, -0.375}, in);
  quote x;
  for (auto _ : bench)
    benchmark::DoNotOptimize(serde<quote>::decode(in, x));
}
BENCHMARK(json_decode);

} // namespace
} // namespace weir

BENCHMARK_MAIN();
