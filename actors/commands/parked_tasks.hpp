// The parked tasks of a job, as commands read and decide them (rule H28).
#pragma once

#include <map>
#include <string>

#include "actors/commands/offline.hpp"
#include "actors/failure/parked.hpp"

namespace weir {

/// A parked task's node as it was read.
struct found_parked {
  parked_node node;
  std::int32_t version;
};

/// None if the task is not parked. Errors: those of reading it, `bad_format`.
result<std::optional<found_parked>> read_parked(waiting_session& session,
                                                const job& of, int partition);

/// Every parked task, in order; a node that cannot be read has its error.
/// Errors: those of listing them.
result<std::map<int, result<found_parked>>>
read_all_parked(waiting_session& session, const job& of);

/// "bad_record at ticks/3@98431 (key of 4 bytes, value of 120 bytes)"
std::string cause_of(const parked_node& x);

/// Who decides, and when; before the decision is written.
struct decision_note {
  parked_decision what = parked_decision::resume;
  /// "user@host"
  std::string by;
  std::int64_t at_ms = 0;
  std::string reason;
};

decision_note decide_now(parked_decision what, const std::string& reason,
                         outside_world& world);

/// Writes a decision by version; one that stands already is left alone. What
/// then stands there is answered, also if a lost reply hid that it was ours.
/// Errors: `not_found` (not parked), `already_exists` (something else was
/// decided), `bad_argument` (does not fit the kind), those of the session.
result<parked_node> write_decision(waiting_session& session, const job& of,
                                   int partition, const decision_note& note);

} // namespace weir
