// Which producer ids are being fenced, and which are (rule H33).
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/cancel.hpp"
#include "weir/error.hpp"

namespace weir {

/// Told of every attempt that failed, and once of the success.
using fence_answer = std::function<void(result<void>)>;

/// The fencer as a plain state machine: one attempt at a time for each id,
/// however many ask, and none for an id that is known to be fenced. Knows no
/// actor, clock or broker.
class fence_book {
public:
  using milliseconds = std::chrono::milliseconds;

  /// Once fenced, an id stays so (rule C5); to forget one costs a repetition.
  static constexpr std::size_t memory = 4'096;

  struct waiter {
    /// Cancelled: it does not want to know any more.
    cancel_token token;
    fence_answer answer;
  };

  enum class verdict {
    /// It is fenced already.
    known,
    /// Another has asked before: the running attempt, or the next, is for both.
    joined,
    /// Begin an attempt.
    begin,
  };

  verdict ask(const std::string& id, waiter who);

  /// Who is to be told of the failed attempt. The next one is due after
  /// `pause`.
  std::vector<waiter> failed(const std::string& id, milliseconds& pause);
  /// Who is to be told; the id is remembered.
  std::vector<waiter> fenced(const std::string& id);
  /// The pause is over: whether anybody still wants it. If not, it is
  /// forgotten.
  bool try_again(const std::string& id);

  bool is_fenced(const std::string& id) const { return known_.contains(id); }
  std::size_t remembered() const noexcept { return known_.size(); }
  std::size_t asked() const noexcept { return open_.size(); }

private:
  struct entry {
    std::vector<waiter> waiters;
    int failures = 0;
  };

  static void drop_cancelled(entry& x);

  std::map<std::string, entry> open_;
  std::set<std::string> known_;
  /// Oldest first.
  std::deque<std::string> order_;
};

} // namespace weir
