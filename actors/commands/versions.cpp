#include "actors/commands/versions.hpp"

#include <caf/config.hpp>
#include <fmt/format.h>

#include "runtime/kafka/kafka.hpp"
#include "runtime/leveldb/database.hpp"
#include "runtime/zookeeper/zookeeper.hpp"
#include "weir/version.hpp"

namespace weir {

std::string version_text() {
  return fmt::format("weir {}\nCAF {}.{}.{}\nlibrdkafka {}\nLevelDB {}\n"
                     "ZooKeeper client {}",
                     WEIR_VERSION, CAF_VERSION / 10'000,
                     CAF_VERSION / 100 % 100, CAF_VERSION % 100,
                     kafka_client_version(), leveldb_version(),
                     zookeeper_client_version());
}

} // namespace weir
