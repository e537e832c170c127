#include "runtime/job/memory_shares.hpp"

#include <algorithm>

namespace weir {

namespace {

/// Below this, more would be spent on the work of doing it in small parts.
constexpr std::size_t least_share = 64u << 10;
/// LevelDB makes small level-0 files below, and a reopen longer above.
constexpr std::size_t most_write_buffer = 4u << 20;
/// Above these, the cost of a batch or of a request does not show any more.
constexpr std::size_t most_restore = 4u << 20;
/// Less would be used up between two requests.
constexpr std::size_t least_read_ahead = 128u << 10;
constexpr std::size_t most_read_ahead = 2u << 20;
/// Four batches. Large values want one for each partition: below that every
/// batch waits for its linger to end.
constexpr std::size_t least_producer = 4u << 20;
constexpr std::size_t most_producer = 32u << 20;

std::size_t count(int x) {
  return static_cast<std::size_t>(std::max(x, 1));
}

} // namespace

memory_shares share_memory(const settings& how, int tasks, int inputs,
                           const memory_budgets& of) {
  auto n = count(tasks);
  auto share = [n](std::size_t budget, std::size_t most) {
    return std::min(std::max(budget / n, least_share), most);
  };
  memory_shares out;
  out.overlay = share(of.overlay, how.overlay_bytes);
  out.cache = share(of.cache, how.cache_bytes);
  out.held = share(of.held, how.held_bytes);
  out.write_buffer = share(of.write_buffers, most_write_buffer);
  out.restore = share(of.restore, most_restore);
  out.read_ahead = std::clamp(of.read_ahead / (n * count(inputs)),
                              least_read_ahead, most_read_ahead);
  out.restore_ahead = std::clamp(of.restore_ahead / n, least_read_ahead / 2,
                                 most_read_ahead / 2);
  out.transaction = of.transactions / count(how.threads);
  auto producers = count(how.threads) *
                   (how.guarantee == guarantee::at_least_once ? 2u : 1u);
  out.producer = how.producer_bytes.value_or(
      std::clamp(of.producers / producers, least_producer, most_producer));
  return out;
}

} // namespace weir
