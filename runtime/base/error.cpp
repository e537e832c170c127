#include "weir/error.hpp"

#include <stdexcept>

namespace weir {

std::string_view to_string(ec code) noexcept {
  switch (code) {
  case ec::bad_argument:
    return "bad_argument";
  case ec::bad_format:
    return "bad_format";
  case ec::not_found:
    return "not_found";
  case ec::already_exists:
    return "already_exists";
  case ec::version_mismatch:
    return "version_mismatch";
  case ec::not_empty:
    return "not_empty";
  case ec::unknown_outcome:
    return "unknown_outcome";
  case ec::session_expired:
    return "session_expired";
  case ec::disconnected:
    return "disconnected";
  case ec::timed_out:
    return "timed_out";
  case ec::fenced:
    return "fenced";
  case ec::transaction_failed:
    return "transaction_failed";
  case ec::queue_full:
    return "queue_full";
  case ec::too_large:
    return "too_large";
  case ec::offset_out_of_range:
    return "offset_out_of_range";
  case ec::damaged:
    return "damaged";
  case ec::corruption:
    return "corruption";
  case ec::data_loss:
    return "data_loss";
  case ec::locked:
    return "locked";
  case ec::io_error:
    return "io_error";
  case ec::rejected:
    return "rejected";
  case ec::closed:
    return "closed";
  case ec::task_failed:
    return "task_failed";
  case ec::elsewhere:
    return "elsewhere";
  }
  return "unknown";
}

std::string to_string(const error& what) {
  return std::string{to_string(what.code())} + ": " + what.text();
}

void detail::throw_no_value(const error& what) {
  throw std::runtime_error{to_string(what)};
}

} // namespace weir
