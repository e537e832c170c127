// One librdkafka client and what it says about its connections.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/log.hpp"
#include "runtime/kafka/configuration.hpp"
#include "runtime/kafka/destroy_guard.hpp"
#include "runtime/kafka/errors.hpp"
#include "runtime/kafka/outage.hpp"
#include "weir/error.hpp"

namespace weir::kafka {

/// What the client reports while a thread drains a queue belongs to that
/// queue's partition, but comes through the handle's error callback. While this
/// object lives, such errors of its thread go to `into`.
class queue_errors {
public:
  struct entry {
    rd_kafka_resp_err_t code;
    std::string text;
  };
  explicit queue_errors(std::vector<entry>& into) noexcept;
  queue_errors(const queue_errors&) = delete;
  queue_errors& operator=(const queue_errors&) = delete;
  ~queue_errors();
};

/// Owns an `rd_kafka_t` with its threads; shared by whoever holds something of
/// it (reader, batch). Thread-safe. Nothing of it survives a crash.
class handle {
public:
  /// Does not wait for a broker. Errors: `bad_argument` (a property that the
  /// client refuses, such as an unreadable certificate).
  static result<std::shared_ptr<handle>>
  open(rd_kafka_type_t type, configuration with, std::shared_ptr<outage> of);

  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  /// [blocking] a little: joins the client's threads. Leaves no group, flushes
  /// nothing, commits nothing.
  ~handle();

  rd_kafka_t* raw() const noexcept { return raw_; }
  outage& cluster() const noexcept { return *outage_; }

  /// Counts closed sockets, requests that timed out and transport errors, as
  /// they happen on the client's threads (rule L4).
  std::uint64_t faults() const noexcept { return faults_.load(); }

  /// For the thread that serves this handle's error events.
  void on_error(rd_kafka_resp_err_t code, const std::string& text);

  /// An error of a request; names the brokers and the last known reason where
  /// they could not be reached.
  error explain(rd_kafka_resp_err_t code, std::string_view what) const;

private:
  explicit handle(std::shared_ptr<outage> of) : outage_{std::move(of)} {}

  static void log_callback(const rd_kafka_t* client, int level,
                           const char* facility, const char* text) noexcept;
  static void error_callback(rd_kafka_t* client, int code, const char* text,
                             void* opaque) noexcept;
  static int close_callback(int socket, void* opaque) noexcept;

  void on_log(int level, std::string_view facility, std::string_view text);
  bool may_log();
  void remember(std::string_view reason);
  /// Empty when the last reason is history.
  std::string current_reason() const;

  const std::shared_ptr<outage> outage_;
  /// The client's threads log to where its opener does.
  const node_log log_ = current_log();
  destroy_guard destroy_guard_;
  rd_kafka_t* raw_ = nullptr;
  std::atomic<std::uint64_t> faults_{0};
  mutable std::mutex mutex_;
  /// The last thing that went wrong with a connection.
  std::string last_reason_;
  std::chrono::steady_clock::time_point last_reason_at_;
  std::chrono::steady_clock::time_point window_;
  int logged_in_window_ = 0;
};

} // namespace weir::kafka
