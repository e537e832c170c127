// A parked task: why it was stopped, and what the operator decided (rule H28).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/failure/input_gap.hpp"
#include "weir/error.hpp"

namespace weir {

/// What stopped the task; it tells which decisions make sense.
enum class parked_kind {
  /// Cannot be decoded, or the task rejected it (`--on-bad-record fail`).
  bad_record,
  /// User code threw, again and again at one position.
  exception,
  /// An output or a value that its topic does not take.
  too_large,
  /// A call of user code that did not come back in time.
  stuck,
  /// Input records that were deleted before they were read.
  lost_input,
  /// State and changelog contradict each other.
  corruption,
  /// A loss that is proven (rule S2).
  data_loss,
};

enum class parked_decision {
  /// Nobody may claim the task.
  none,
  /// Try again.
  resume,
  /// Pass the record, or the gap, without processing it.
  skip,
  /// Pass the record and write it to the dead-letter topic.
  dead_letter,
};

/// "bad_record", as in the znode.
std::string_view to_string(parked_kind x) noexcept;
std::string_view to_string(parked_decision x) noexcept;

/// What an operator decided about one record or gap of the task's inputs, until
/// a commit has passed it.
struct open_decision {
  parked_decision decision = parked_decision::skip;
  std::string topic;
  std::int64_t offset = 0;
  /// The first offset that is left behind a gap; -1 = it is a record.
  std::int64_t until = -1;
  /// What stopped the task there.
  std::string why;

  bool is_gap() const noexcept { return until >= 0; }
  bool operator==(const open_decision&) const = default;
};

/// Persistent: /weir/<job>/parked/<p>. Made by the owner as it lets the task
/// go; `resume` writes the decision by version; the next owner removes it once
/// the decision is carried out, or writes the next stop in its place, with what
/// is not carried out by then. A plain value; no payload of a record is in it.
struct parked_node {
  std::string why;
  parked_kind kind = parked_kind::exception;
  /// The process that parked it.
  std::string who;
  std::int64_t when_ms = 0;
  int attempts = 0;

  /// The record at fault, or where the gap begins. Empty and -1: it was not in
  /// a record (a hook, a timer, the state).
  std::string topic;
  int partition = -1;
  std::int64_t offset = -1;
  /// `lost_input`: the first offset that is left; else -1.
  std::int64_t until = -1;
  /// `lost_input`: what the task's other inputs have lost. One decision is
  /// about all of it: one by one each would be met again while the next is
  /// decided.
  std::vector<input_gap> more_gaps;
  /// Of the record; -1 = absent or unknown.
  std::int64_t key_bytes = -1;
  std::int64_t value_bytes = -1;

  parked_decision decision = parked_decision::none;
  std::string decided_by;
  std::int64_t decided_ms = 0;
  std::string reason;
  /// Of earlier stops, and not known to be carried out when this one came.
  std::vector<open_decision> kept;

  /// Fields that this program does not know, a JSON object; `encode` writes
  /// them again (rule H44). Empty = none.
  std::string unknown;

  bool operator==(const parked_node&) const = default;

  bool decided() const noexcept { return decision != parked_decision::none; }
  bool has_record() const noexcept { return !topic.empty() && offset >= 0; }
};

/// Whether not a record but the task's state is at fault.
bool is_about_state(const parked_node& x) noexcept;

/// "ticks/3@98431", "ticks/3@100..131 (32 offsets)" for a gap (several are
/// joined by ", "), or "" without a record.
std::string place_of(const parked_node& x);

std::string place_of(const open_decision& x, int partition);

/// All that the next owner carries out: what is decided about this stop, and
/// what is kept.
std::vector<open_decision> open_decisions(const parked_node& x);

/// Whether one of these writes to the dead letters.
bool writes_dead_letters(const parked_node& x);

/// `next` takes the place of `found`: its open decisions go on, but for those
/// about what has stopped the task again.
void keep_decisions(parked_node& next, const parked_node& found);

/// Whether both tell of the same stop, whatever was decided since.
bool is_same_stop(const parked_node& x, const parked_node& y) noexcept;

/// Of texts the first 4096 bytes; what is no UTF-8 is replaced.
std::string encode(const parked_node& x);

/// Errors: `bad_format` (hostile or newer data: the text says which). What
/// cannot be read counts as a task that nobody may claim.
result<parked_node> decode_parked(const std::string& json);

/// Whether a decision makes sense for what stopped the task.
/// Errors: `bad_argument`, saying what does.
result<void> check_decision(const parked_node& x, parked_decision decision);

} // namespace weir
