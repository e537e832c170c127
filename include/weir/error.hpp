// Errors are values: every call of weir that can fail answers a `result<T>`.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weir/detail/export.hpp"

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
  /// The task is not in this process; the text says what is known of it.
  elsewhere,
};

/// Stable name of a code, such as "fenced".
WEIR_EXPORT std::string_view to_string(ec code) noexcept;

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
WEIR_EXPORT std::string to_string(const error& what);

/// An error on its way into a `result<T>` of whatever T.
struct failure {
  error what;
};

/// `return fail(ec::not_found, "topic 'x' …");`
inline failure fail(ec code, std::string text) {
  return {error{code, std::move(text)}};
}
inline failure fail(error what) {
  return {std::move(what)};
}

template <class T>
class result;

namespace detail {

/// Throws std::runtime_error with code and text.
[[noreturn]] WEIR_EXPORT void throw_no_value(const error& what);

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

template <class T, class U>
concept value_for =
    std::constructible_from<T, U> && std::convertible_to<U, T> &&
    !is_result<std::remove_cvref_t<U>> &&
    !std::same_as<std::remove_cvref_t<U>, failure>;

} // namespace detail

/// A value or an error; what std::expected<T, error> does, in C++20 and with
/// one layout for every program. Reading the value of an error (`*`, `->`), or
/// the error of a value, is undefined; `value()` throws std::runtime_error
/// instead.
template <class T>
class [[nodiscard]] result {
public:
  using value_type = T;

  result() requires std::default_initializable<T> : value_(),
                                                    has_value_(true) {}
  template <class U = T>
  requires detail::value_for<T, U&&> result(U&& value)
      : value_(std::forward<U>(value)), has_value_(true) {}
  result(failure f) : error_(std::move(f.what)), has_value_(false) {}
  /// Of another type's value, such as a pointer to a base.
  template <class U>
  requires(!std::same_as<U, T> && std::convertible_to<U, T>)
      result(result<U>&& other)
      : has_value_(other.has_value()) {
    if (has_value_)
      std::construct_at(std::addressof(value_), *std::move(other));
    else
      std::construct_at(std::addressof(error_), std::move(other).error());
  }

  result(const result& other) : has_value_(other.has_value_) {
    if (has_value_)
      std::construct_at(std::addressof(value_), other.value_);
    else
      std::construct_at(std::addressof(error_), other.error_);
  }
  result(const result&) requires(!std::copy_constructible<T>) = delete;
  result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
      : has_value_(other.has_value_) {
    if (has_value_)
      std::construct_at(std::addressof(value_), std::move(other.value_));
    else
      std::construct_at(std::addressof(error_), std::move(other.error_));
  }
  result& operator=(result other) noexcept {
    // A T whose move throws ends the process here: there would be neither.
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
    return *this;
  }
  ~result() {
    if (has_value_)
      std::destroy_at(std::addressof(value_));
    else
      std::destroy_at(std::addressof(error_));
  }

  bool has_value() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }

  T& operator*() & noexcept { return value_; }
  const T& operator*() const& noexcept { return value_; }
  T&& operator*() && noexcept { return std::move(value_); }
  T* operator->() noexcept { return std::addressof(value_); }
  const T* operator->() const noexcept { return std::addressof(value_); }

  /// Throws std::runtime_error with the error's text if there is no value.
  T& value() & { return check().value_; }
  const T& value() const& { return check().value_; }
  T&& value() && { return std::move(check().value_); }

  template <class U>
  T value_or(U&& other) const& {
    return has_value_ ? value_ : static_cast<T>(std::forward<U>(other));
  }
  template <class U>
  T value_or(U&& other) && {
    return has_value_ ? std::move(value_)
                      : static_cast<T>(std::forward<U>(other));
  }

  weir::error& error() & noexcept { return error_; }
  const weir::error& error() const& noexcept { return error_; }
  weir::error&& error() && noexcept { return std::move(error_); }

  /// Whether it has this value.
  template <class U>
  requires(!detail::is_result<U>) friend bool operator==(const result& a,
                                                         const U& b) {
    return a.has_value_ && a.value_ == b;
  }

private:
  const result& check() const {
    if (!has_value_)
      detail::throw_no_value(error_);
    return *this;
  }
  result& check() {
    if (!has_value_)
      detail::throw_no_value(error_);
    return *this;
  }

  union {
    T value_;
    weir::error error_;
  };
  bool has_value_;
};

/// Done, or an error.
template <>
class [[nodiscard]] result<void> {
public:
  using value_type = void;

  result() noexcept : has_value_(true) {}
  result(failure f) : error_(std::move(f.what)), has_value_(false) {}
  result(const result& other) : has_value_(other.has_value_) {
    if (!has_value_)
      std::construct_at(&error_, other.error_);
  }
  result(result&& other) noexcept : has_value_(other.has_value_) {
    if (!has_value_)
      std::construct_at(&error_, std::move(other.error_));
  }
  result& operator=(result other) noexcept {
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
    return *this;
  }
  ~result() {
    if (!has_value_)
      std::destroy_at(&error_);
  }

  bool has_value() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }
  /// Throws std::runtime_error with the error's text if there is one.
  void value() const {
    if (!has_value_)
      detail::throw_no_value(error_);
  }

  weir::error& error() & noexcept { return error_; }
  const weir::error& error() const& noexcept { return error_; }
  weir::error&& error() && noexcept { return std::move(error_); }

private:
  union {
    weir::error error_;
  };
  bool has_value_;
};

} // namespace weir
