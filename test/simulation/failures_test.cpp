// H27: each cell of the table of failures is met, and what it leads to leaves
// everything exact.
#include <cstdio>
#include <set>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "test/simulation/simulation.hpp"

using namespace weir;
using namespace weir::sim;

namespace {

using cell = std::pair<failure_place, ec>;

std::vector<ec> all_but(const std::set<ec>& without) {
  std::vector<ec> out;
  for (int code = 1; code <= static_cast<int>(ec::task_failed); ++code)
    if (without.count(static_cast<ec>(code)) == 0)
      out.push_back(static_cast<ec>(code));
  return out;
}

struct failing_call {
  node_call at;
  std::vector<ec> with;
};

/// What a call's caller answers itself never comes to the table.
const failing_call calls[] = {
    // Without a claim one is made; a closed session is the membership's.
    {node_call::read_claim, all_but({ec::not_found, ec::closed})},
    // Whose was the write? The claim's reader says.
    {node_call::write_claim,
     all_but({ec::already_exists, ec::unknown_outcome, ec::closed})},
    {node_call::changelog_end, all_but({})},
    {node_call::read_changelog, all_but({})},
    {node_call::open_producer, all_but({})},
    // No task is at fault, so none is parked.
    {node_call::begin, all_but({ec::corruption, ec::bad_format, ec::data_loss})},
    {node_call::commit,
     all_but({ec::corruption, ec::bad_format, ec::data_loss})},
    // A full queue is waited for; some are the stores' and serdes' at a seal.
    {node_call::send,
     all_but({ec::queue_full, ec::io_error, ec::damaged, ec::corruption,
              ec::bad_format, ec::task_failed})},
    {node_call::read_input, all_but({})},
    // What a store throws; anything else is the user's own.
    {node_call::read_store, {ec::io_error, ec::damaged, ec::corruption}},
    {node_call::user_code, {ec::task_failed}},
};

std::uint64_t times_met(const cell& x) {
  auto text = fmt::format("where={} what={} reaction={}", to_string(x.first),
                          to_string(x.second),
                          to_string(react(x.first, x.second)));
  auto known = decisions_met().find(text);
  return known == decisions_met().end() ? 0 : known->second;
}

/// Whether a failure can come to this cell: what the caller of a place answers
/// under another name does not.
bool is_reachable(const cell& x) {
  auto& [place, what] = x;
  if (react(place, what) == reaction::impossible)
    return false;
  switch (place) {
  case failure_place::user_code:
    // Whatever it throws is `task_failed`; a serde shows at the seal.
    return what == ec::task_failed || what == ec::bad_format;
  case failure_place::apply:
    return what == ec::io_error || what == ec::damaged ||
           what == ec::corruption;
  case failure_place::transaction:
    // At a seal these are the stores' and the serdes'.
    return what != ec::corruption && what != ec::bad_format;
  default:
    return true;
  }
}

/// Cells that this process has not met.
std::set<std::string> not_met() {
  std::set<std::string> out;
  for (auto what : all_but({}))
    for (int place = 0; place <= static_cast<int>(failure_place::user_code);
         ++place) {
      cell x{static_cast<failure_place>(place), what};
      if (is_reachable(x) && times_met(x) == 0)
        out.insert(fmt::format("{} {}", to_string(x.first), to_string(what)));
    }
  return out;
}

scenario with_failure(guarantee promise, node_call at, ec what) {
  scenario out;
  out.promise = promise;
  out.load = workload_kind::mixed;
  out.failures = {{at, what, 2, 0}};
  // So that there is a changelog to read, a claim to set, an owner to fence.
  if (at == node_call::read_changelog || at == node_call::write_claim ||
      at == node_call::fence) {
    out.failures[0].from_life = 1;
    out.crash_after = {250};
    out.lose_databases = true;
  }
  return out;
}

} // namespace

TEST_CASE("H27: every cell is met, and comes to its right end") {
  for (auto& call : calls)
    for (auto what : call.with) {
      cell where{place_of(call.at), what};
      auto before = times_met(where);
      for (auto promise :
           {guarantee::exactly_once, guarantee::at_least_once}) {
        auto got = simulate(with_failure(promise, call.at, what));
        INFO("call " << static_cast<int>(call.at) << " with "
                     << to_string(what) << ": "
                     << to_string(react(where.first, what)));
        CHECK(got.problems == std::vector<std::string>{});
        if (!got.problems.empty())
          WARN("its end:\n" << got.tail);
      }
      INFO("call " << static_cast<int>(call.at) << " with " << to_string(what));
      CHECK(times_met(where) > before);
    }
  // A serde that cannot write what a store holds.
  for (auto promise : {guarantee::exactly_once, guarantee::at_least_once}) {
    auto got =
        simulate(with_failure(promise, node_call::send, ec::bad_format));
    CHECK(got.problems == std::vector<std::string>{});
  }
  CHECK(not_met() == std::set<std::string>{});
}

TEST_CASE("H33: a fence that fails, however, is tried again") {
  for (auto what : all_but({})) {
    auto got = simulate(
        with_failure(guarantee::exactly_once, node_call::fence, what));
    INFO(to_string(what));
    CHECK(got.problems == std::vector<std::string>{});
  }
}
