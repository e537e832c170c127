// What fills the inputs while the nodes run.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "runtime/stream/stream.hpp"
#include "test/simulation/machine.hpp"

namespace weir::sim {

/// Half of the input is there when the first life begins, the rest comes
/// record by record. What a life before this one has fed is seen in the log,
/// not remembered. Owned by a life.
class feed {
public:
  feed(machine& on, stream_system& streams) : on_(on), streams_(streams) {}

  /// Creates the inputs in the first life.
  result<void> start(bool first_life);
  /// Sends one record to an input of chance.
  void step() { static_cast<void>(send(1)); }

  bool is_over() const noexcept { return sources_.empty(); }
  /// Whether all input was there when the life began.
  bool was_complete() const noexcept { return was_complete_; }
  /// @pre not over
  std::chrono::nanoseconds next_due() const noexcept { return next_; }

private:
  struct source {
    topic_partition where;
    topic_ref topic;
    std::size_t next = 0;
  };

  result<void> open(const topic_partition& where, std::size_t records);
  result<void> send(int records);

  machine& on_;
  stream_system& streams_;
  std::unique_ptr<producer> producer_;
  std::vector<source> sources_;
  std::chrono::nanoseconds next_{0};
  bool was_complete_ = false;
};

} // namespace weir::sim
