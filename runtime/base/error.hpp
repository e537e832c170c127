// Errors are values: every fallible call of weir returns `result<T>`.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace weir {

/// What went wrong, as a caller can act on it. The text beside it names the
/// thing and what to do; the code decides what the program does.
enum class ec {
  /// A setting or argument is wrong. Tell the user; do not retry.
  bad_argument = 1,
  /// Bytes or a document that do not have the promised format.
  bad_format,
  /// The named thing (topic, znode, key, file) does not exist.
  not_found,
  /// The named thing exists already.
  already_exists,
  /// A znode's version is not the expected one: someone else wrote. Read again.
  version_mismatch,
  /// A znode with children cannot be removed.
  not_empty,
  /// The request may or may not have happened: the reply was lost. Resolve it
  /// with a write (rule C3), never guess.
  unknown_outcome,
  /// The coordination session is over; every ephemeral is (or will be) gone.
  /// Open a new session under a new identity.
  session_expired,
  /// No connection at the moment. Retry with back-off.
  disconnected,
  /// The deadline passed without an answer.
  timed_out,
  /// Another producer handle took over this transactional id. The handle is
  /// finished; never initialise its id again (rule L2).
  fenced,
  /// A transaction failed; its outcome must be treated as unknown (rule L3).
  transaction_failed,
  /// The local queue is full. Keep the record and try again after a pause.
  queue_full,
  /// A record is larger than the limit of topic or configuration.
  too_large,
  /// A position is outside of what the partition still holds.
  offset_out_of_range,
  /// Two facts about durable data contradict each other. Stop and say so.
  corruption,
  /// A task's database cannot be read back as it was written: a fault of disk
  /// or file system. The changelog has what it held: build it anew.
  damaged,
  /// The data proves a loss that needs the operator (rule S2).
  data_loss,
  /// Another live process holds the resource; the text names it.
  locked,
  /// An operating system call failed (disk full, permission, I/O).
  io_error,
  /// The server answered with a permanent error (authorisation, policy).
  rejected,
  /// The object was closed or the process is stopping.
  closed,
  /// User code threw or refused.
  task_failed,
};

/// Stable name of a code, such as "fenced".
std::string_view to_string(ec code) noexcept;

/// A code plus a text for a person: what, which thing, what to do.
class error {
public:
  error(ec code, std::string text) : code_(code), text_(std::move(text)) {}

  ec code() const noexcept { return code_; }
  const std::string& text() const noexcept { return text_; }

  /// Puts `context + ": "` before the text, keeps the code.
  error within(std::string_view context) const {
    return {code_, std::string{context} + ": " + text_};
  }

private:
  ec code_;
  std::string text_;
};

/// "<code>: <text>"
std::string to_string(const error& what);

template <class T>
using result = tl::expected<T, error>;

/// `return fail(ec::not_found, "topic 'x' …");`
inline tl::unexpected<error> fail(ec code, std::string text) {
  return tl::unexpected<error>{error{code, std::move(text)}};
}

inline tl::unexpected<error> fail(error what) {
  return tl::unexpected<error>{std::move(what)};
}

} // namespace weir
