// librdkafka's error codes in terms of ours.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>

#include "weir/error.hpp"

namespace weir::kafka {

struct error_deleter {
  void operator()(rd_kafka_error_t* x) const noexcept {
    rd_kafka_error_destroy(x);
  }
};
using error_ptr = std::unique_ptr<rd_kafka_error_t, error_deleter>;

/// What a caller can do about a code; `rejected` for what we don't know.
ec code_of(rd_kafka_resp_err_t code) noexcept;

/// The code for a person: librdkafka's sentence and the code's name, also for
/// codes of brokers newer than the library.
std::string text_of(rd_kafka_resp_err_t code);

/// "<what>: <text_of(code)>".
error make_error(rd_kafka_resp_err_t code, std::string_view what);

/// Whether a producer with this error was taken over. The library reports it in
/// three shapes (fatal, abortable with `_FENCED`, abortable with the broker's
/// own code), so the code is looked at before any flag.
bool is_fenced(rd_kafka_resp_err_t code) noexcept;

/// The broker cannot be reached or did not answer: the request says nothing
/// about the thing that it asked for.
bool is_unreachable(rd_kafka_resp_err_t code) noexcept;

/// A state of the cluster that passes by itself: ask again.
bool is_transient(rd_kafka_resp_err_t code) noexcept;

} // namespace weir::kafka
