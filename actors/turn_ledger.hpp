// Who of a node's tasks processes next, and for how long.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace weir {

/// A node has as many places as threads for its tasks' records. A task asks for
/// one, works for a turn, and gives it back; a free place goes to the waiting
/// task that has had the least time. So a task whose turn took longer than it
/// should waits until each of the others had as much, and never longer; and
/// whatever else the actors do (seals, applies, the lanes) queues behind no
/// more than one turn a thread.
///
/// Thread-safe. Knows no clock: times come from its callers. Nothing of it
/// outlives the process.
class turn_ledger {
public:
  using nanoseconds = std::chrono::nanoseconds;

  /// @pre places > 0
  explicit turn_ledger(int places) : free_(places) {}
  turn_ledger(const turn_ledger&) = delete;
  turn_ledger& operator=(const turn_ledger&) = delete;

  /// A task's seat in the ledger; leaves it, and the place that it may have,
  /// when destroyed. The ledger must live longer.
  class seat {
  public:
    seat(turn_ledger& of, std::uint64_t id) : of_(of), id_(id) {}
    ~seat() { of_.leave(id_); }
    seat(const seat&) = delete;
    seat& operator=(const seat&) = delete;

    /// Asks for a place; `granted` is called once it is there, maybe at once.
    /// No effect while it waits for one or has one.
    void want() { of_.want(id_); }
    /// Gives the place back after `used` of work. `again`: asks for another.
    /// No effect without a place.
    void done(nanoseconds used, bool again) { of_.done(id_, used, again); }

  private:
    turn_ledger& of_;
    std::uint64_t id_;
  };

  /// `granted` may be called on any thread that calls into the ledger, also
  /// shortly after the seat is gone; it must not call the ledger itself.
  std::unique_ptr<seat> join(std::function<void()> granted);

  /// How long a turn may be: 1 ms, or less with more than 50 tasks, so that a
  /// round of all takes 50 ms of work, but at least 0.1 ms.
  nanoseconds turn() const;

private:
  /// Least time first, among equals who has waited longest.
  using order = std::pair<std::int64_t, std::uint64_t>;
  using grant = std::shared_ptr<std::function<void()>>;

  enum class state { idle, waiting, has_place };

  struct member {
    grant granted;
    state is = state::idle;
    /// Time had, in nanoseconds, as far as others waited meanwhile.
    std::int64_t had = 0;
    /// Its key in `waiting_`.
    order line{};
  };

  void leave(std::uint64_t id);
  void want(std::uint64_t id);
  void done(std::uint64_t id, nanoseconds used, bool again);
  void queue(std::uint64_t id, member& x);
  /// Hands out free places; what it answers is called without the lock.
  std::vector<grant> fill();

  mutable std::mutex mutex_;
  int free_;
  std::uint64_t next_ = 0;
  /// What the task that was last chosen among several had had. Who was idle
  /// starts from here: it has saved nothing up.
  std::int64_t now_ = 0;
  std::map<std::uint64_t, member> members_;
  std::map<order, std::uint64_t> waiting_;
};

} // namespace weir
