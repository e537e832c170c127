// What a store throws where a value is asked for and none can be given.
#pragma once

#include <stdexcept>
#include <utility>

#include "weir/error.hpp"

namespace weir {

/// A failed read of the database, bytes that a serde refuses, or a key that
/// cannot be one. Thrown by the typed stores, whose calls return values, and
/// caught by the task shell, which gives the lane's transaction up (L3). User
/// code has no reason to catch it.
class store_error : public std::runtime_error {
public:
  explicit store_error(error what)
      : std::runtime_error(to_string(what)), what_(std::move(what)) {}
  store_error(ec code, std::string text)
      : store_error(error{code, std::move(text)}) {}

  /// `damaged`, `corruption`, `io_error`, `closed`, `bad_format`,
  /// `bad_argument`.
  const error& reason() const noexcept { return what_; }

private:
  error what_;
};

} // namespace weir
