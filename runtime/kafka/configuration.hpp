// How each kind of client handle is configured, and what a user may change.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "runtime/error.hpp"
#include "runtime/kafka/kafka.hpp"
#include "runtime/stream.hpp"

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

/// For readers and queries at one isolation level.
result<configuration> consumer_configuration(const kafka_options& options,
                                             isolation level);

/// For a plain or a transactional producer.
result<configuration> producer_configuration(const kafka_options& options,
                                             const producer_options& wanted);

} // namespace weir::kafka
