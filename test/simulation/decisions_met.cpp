// Which cells of the table of failures (H27) the simulation's tests have met.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <cstdio>

#include <catch2/catch.hpp>

#include "test/simulation/simulation.hpp"

namespace {

struct tell_decisions : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;
  void testRunEnded(const Catch::TestRunStats&) override {
    auto& met = weir::sim::decisions_met();
    std::printf("H27: %zu cells met\n", met.size());
    for (auto& [cell, times] : met)
      std::printf("  %s: %llu\n", cell.c_str(),
                  static_cast<unsigned long long>(times));
  }
};

} // namespace

CATCH_REGISTER_LISTENER(tell_decisions)
