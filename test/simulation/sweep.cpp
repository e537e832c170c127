#include "test/simulation/sweep.hpp"

#include <fmt/format.h>

namespace weir::sim {

namespace {

constexpr std::size_t most_failures = 5;

void note(sweep_result& in, const scenario& what, const outcome& got) {
  ++in.runs;
  if (got.problems.empty() || in.failures.size() >= most_failures)
    return;
  in.failures.push_back(fmt::format("{}\n  {}", replay_command(what),
                                    fmt::join(got.problems, "\n  ")));
}

/// One run for each `stride`-th of the steps or operations of the whole run.
template <class CrashAt>
sweep_result sweep(const scenario& base, std::uint64_t outcome::*length,
                   std::uint64_t stride, CrashAt crash_at) {
  sweep_result out;
  auto whole = simulate(base);
  note(out, base, whole);
  out.length = whole.*length;
  for (std::uint64_t at = 1; at <= out.length; at += stride) {
    auto what = base;
    crash_at(what, at);
    note(out, what, simulate(what));
  }
  return out;
}

} // namespace

sweep_result crash_after_every_step(const scenario& base,
                                    std::uint64_t stride) {
  return sweep(
      base, &outcome::steps, stride,
      [](scenario& what, std::uint64_t at) { what.crash_after = {at}; });
}

sweep_result crash_in_every_operation(const scenario& base,
                                      std::uint64_t stride) {
  return sweep(
      base, &outcome::operations, stride,
      [](scenario& what, std::uint64_t at) { what.crash_in_operation = at; });
}

sweep_result crash_twice(const scenario& base, int runs) {
  sweep_result out;
  auto whole = simulate(base);
  note(out, base, whole);
  out.length = whole.steps;
  sim_random random{base.seed};
  for (int i = 0; i < runs && whole.steps > 0; ++i) {
    auto what = base;
    auto first = 1 + random.below(whole.steps);
    what.crash_after = {first, first + 1 + random.below(whole.steps)};
    note(out, what, simulate(what));
  }
  return out;
}

std::vector<scenario> every_combination(const scenario& base) {
  std::vector<scenario> out;
  for (auto load : {workload_kind::plain, workload_kind::mixed})
    for (auto promise : {guarantee::exactly_once, guarantee::at_least_once})
      for (auto kind : {crash_kind::process, crash_kind::power}) {
        auto each = base;
        each.load = load;
        each.promise = promise;
        each.kind = kind;
        out.push_back(each);
      }
  return out;
}

} // namespace weir::sim
