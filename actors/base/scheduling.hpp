// How the actors share the processor's threads. The simulation runs with the
// same values.
#pragma once

#include <chrono>
#include <cstddef>

namespace weir {

/// Messages that an actor handles before the next one's turn. One: what waits
/// behind a task waits for one turn of it (`turn_ledger`), not for fifty.
inline constexpr std::size_t scheduler_throughput = 1;

/// One thread more than may run tasks' records, so that seals, applies, lanes
/// and the node go on while every other thread is in user code.
constexpr std::size_t scheduler_threads(int threads) noexcept {
  return static_cast<std::size_t>(threads) + 1;
}

/// Work of one turn of a task, at most.
inline constexpr std::chrono::nanoseconds longest_turn{1'000'000};
/// What the turns of all tasks of a node may come to, so that each of many
/// tasks gets its turn soon.
inline constexpr std::chrono::nanoseconds longest_round{50'000'000};
/// However many tasks there are: below it, changing costs more than it gives.
inline constexpr std::chrono::nanoseconds shortest_turn{100'000};

/// A call of `process` that took so long is told of. Below it, what the kernel
/// took away looks the same.
inline constexpr std::chrono::nanoseconds slow_call{10'000'000};
/// A step or seal that waited in a mailbox for so long is told of.
inline constexpr std::chrono::milliseconds long_delay{500};

} // namespace weir
