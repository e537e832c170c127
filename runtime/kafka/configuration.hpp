// How each kind of client handle is configured, and what a user may change.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "runtime/kafka/kafka.hpp"
#include "runtime/stream/stream.hpp"
#include "weir/error.hpp"

namespace weir::kafka {

/// Owns a librdkafka configuration until a handle takes it.
class configuration {
public:
  configuration();

  /// Errors: `bad_argument` naming the property.
  result<void> set(const std::string& name, const std::string& value);
  std::optional<std::string> get(const std::string& name) const;

  rd_kafka_conf_t* raw() const noexcept { return conf_.get(); }
  /// After `rd_kafka_new` took it.
  void release() noexcept { conf_.release(); }

private:
  struct deleter {
    void operator()(rd_kafka_conf_t* x) const noexcept {
      rd_kafka_conf_destroy(x);
    }
  };
  std::unique_ptr<rd_kafka_conf_t, deleter> conf_;
};

/// Errors: `bad_argument` naming the property that is unknown, malformed, or
/// not the user's to set.
result<void> check_properties(const kafka_options& options);

/// What the readers of one handle have in common.
struct consumer_kind {
  isolation level = isolation::read_committed;
  /// Keys and values that wait in each partition's queue, in bytes. A handle
  /// has one bound for all of its partitions.
  std::size_t read_ahead = 2u << 20;

  auto operator<=>(const consumer_kind&) const = default;
};

/// The bound is rounded down to a power of two, so that a process has few
/// handles whatever its readers ask for.
consumer_kind kind_of(const reader_options& options) noexcept;

/// For readers and queries.
result<configuration> consumer_configuration(const kafka_options& options,
                                             const consumer_kind& kind);

/// For a plain or a transactional producer.
result<configuration> producer_configuration(const kafka_options& options,
                                             const producer_options& wanted);

} // namespace weir::kafka
