#include "test/integration/open_streams.hpp"

#include "runtime/embedded/log/streams.hpp"
#include "runtime/kafka/kafka.hpp"

namespace weir::test {

result<std::shared_ptr<embedded_database>>
open_database(const log_place& place) {
  embedded_options options;
  options.directory = place.data + "/embedded";
  return open_embedded(options, *make_outside_world());
}

result<std::unique_ptr<stream_system>> open_streams(const log_place& place) {
  if (!place.kafka.empty())
    return open_kafka({.brokers = place.kafka,
                       .properties = {{"message.max.bytes", "10000000"}},
                       .client_id = "weir-test"});
  auto database = open_database(place);
  if (!database)
    return fail(database.error());
  return make_embedded_streams(*database, make_outside_world());
}

} // namespace weir::test
