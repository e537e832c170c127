// The Kafka stream system: librdkafka behind runtime/stream/stream.hpp.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "runtime/stream/stream.hpp"
#include "weir/error.hpp"

namespace weir {

struct kafka_options {
  /// "host:port,host:port": brokers to ask first.
  std::string brokers;
  /// Any librdkafka property by its own name ("security.protocol",
  /// "ssl.ca.location", "compression.type", …), handed to every client handle.
  /// Those that the protocol depends on (acks, isolation.level, …) are refused.
  std::map<std::string, std::string> properties;
  /// Shown in the broker's logs and quotas.
  std::string client_id = "weir";
  /// How long a blocking call waits for an answer before it fails with
  /// `disconnected` or `timed_out`.
  std::chrono::milliseconds request_limit{15'000};
};

/// Checks the options and prepares the clients; does not wait for a broker: a
/// cluster that is down shows in the first call that needs it.
/// Errors: `bad_argument` naming the property.
result<std::unique_ptr<stream_system>> open_kafka(const kafka_options& options);

/// Of the client library that is loaded.
std::string kafka_client_version();

} // namespace weir
