// Topics as an administrator handles them.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "runtime/kafka/handle.hpp"
#include "runtime/kafka/requests.hpp"
#include "runtime/stream/stream.hpp"
#include "weir/error.hpp"

namespace weir::kafka {

/// Settings of a topic or broker, with defaults. A broker's name is its id.
result<std::map<std::string, std::string>>
describe_config(handle& with, rd_kafka_ResourceType_t kind,
                const std::string& name, deadline until);

result<std::optional<topic_settings>>
describe_topic(handle& with, const std::string& topic, deadline until);

/// What the topic takes in one batch (`max.message.bytes`); the broker's
/// default where we may not ask, since the broker has the last word. Errors:
/// `not_found`.
result<std::size_t> ask_max_batch_bytes(handle& with, const std::string& topic,
                                        deadline until);

/// Returns when every partition has a leader.
result<void> create_topic(handle& with, const std::string& topic,
                          const topic_settings& settings, deadline until);

/// DeleteRecords (KIP-107). That of 2.0.2 was tried while its broker was killed
/// and stopped: it answers in time, and never aborts the process, as the
/// requests about groups do.
result<void> delete_records(handle& with, const std::string& topic,
                            const stream_system::partition_offsets& below,
                            deadline until);

/// Returns when the cluster does not know the topic any more.
result<void> delete_topic(handle& with, const std::string& topic,
                          deadline until);

} // namespace weir::kafka
