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
/// should waits until each of the others had as much, and one turn longer at
/// most (a round, while its group is at work); and whatever else the actors do
/// (seals, applies, the lanes) queues behind no more than one turn a thread.
///
/// Where others wait too, a task keeps its place for a stretch of turns, so
/// that what it sends to one partition leaves together: a batch costs its
/// producer and the broker as much as hundreds of records. A turn that took
/// twice as long as it should ends the stretch, and so does having had as much
/// as one that waits for such a turn. Who was idle goes before who goes on.
/// Tasks of one group are kept from working beside each other while another
/// group has work: they share a producer and its locks, which costs the stock
/// job 7 % of its throughput (measured side by side).
///
/// Thread-safe. Knows no clock: times come from its callers. Nothing of it
/// outlives the process.
class turn_ledger {
public:
  using nanoseconds = std::chrono::nanoseconds;

  /// @pre places > 0
  explicit turn_ledger(int places) : places_(places), free_(places) {}
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
    /// Ends a turn after `used` of work. `again`: asks for another. True: it is
    /// to be taken at once, without a grant; else the place is given back.
    /// No effect, and false, without a place.
    bool done(nanoseconds used, bool again) {
      return of_.done(id_, used, again);
    }

  private:
    turn_ledger& of_;
    std::uint64_t id_;
  };

  /// `granted` may be called on any thread that calls into the ledger, also
  /// shortly after the seat is gone; it must not call the ledger itself.
  std::unique_ptr<seat> join(std::function<void()> granted,
                             std::uint64_t group);

  /// How long a turn may be: 1 ms, or less with more than 50 tasks, so that a
  /// round of all takes 50 ms of work, but at least 0.1 ms.
  nanoseconds turn() const;

private:
  /// Least rank first, among equals who has waited longest. The rank is the
  /// time that a task had had when its stretch began; less by a stretch for one
  /// that was idle.
  using order = std::pair<std::int64_t, std::uint64_t>;
  using grant = std::shared_ptr<std::function<void()>>;
  using line = std::map<order, std::uint64_t>;

  enum class state { idle, waiting, has_place };

  struct member {
    grant granted;
    std::uint64_t group = 0;
    state is = state::idle;
    /// Time had, in nanoseconds, as far as others waited meanwhile.
    std::int64_t had = 0;
    /// What it was when its stretch began, and turns of the stretch so far.
    std::int64_t began = 0;
    std::int64_t turns = 0;
    /// Its last turn took too long: it waits until the others had as much.
    bool overran = false;
    /// Its key in `waiting_`.
    order rank{};
  };

  void leave(std::uint64_t id);
  void want(std::uint64_t id);
  bool done(std::uint64_t id, nanoseconds used, bool again);
  void queue(std::uint64_t id, member& x, std::int64_t rank);
  /// Who of those that wait is next. @pre some do
  line::iterator next();
  /// The member has, or has no longer, a place.
  void place(member& x);
  void unplace(member& x);
  void end_turn(member& x, nanoseconds used);
  /// Whether one waits that overran, and who had `had` had as much as it.
  bool caught_up_with(std::int64_t had) const;
  nanoseconds turn_of_each() const;
  nanoseconds part_of_round() const;
  /// In turns, so that a round of all tasks' stretches takes `longest_round`.
  std::int64_t stretch() const;
  /// Hands out free places; what it answers is called without the lock.
  std::vector<grant> fill();

  mutable std::mutex mutex_;
  const int places_;
  int free_;
  std::uint64_t next_ = 0;
  /// What the task that was last chosen among several had had. Who was idle
  /// starts from here: it has saved nothing up.
  std::int64_t now_ = 0;
  std::map<std::uint64_t, member> members_;
  line waiting_;
  /// Places that the members of a group have; no entry: none.
  std::map<std::uint64_t, int> at_work_;
};

} // namespace weir
