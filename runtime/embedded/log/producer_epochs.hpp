// Which handle of a transactional id is the last one: the fence of the embedded
// log.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/leveldb/database.hpp"

namespace weir {

/// One initialisation of a transactional id. Fenced as soon as there is a later
/// one.
struct producer_identity {
  std::string id;
  std::uint64_t epoch = 0;
  std::shared_ptr<const std::atomic<std::uint64_t>> latest;

  bool fenced() const noexcept {
    return latest->load(std::memory_order_acquire) != epoch;
  }
};

/// The epochs of all transactional ids, stored before they count. Not
/// thread-safe: the log's append mutex guards it, so that no commit is under
/// way while an epoch changes.
class producer_epochs {
public:
  /// Ids that were initialised longer ago are forgotten when the log is opened
  /// (no handle of an earlier process lives then); Kafka's default, a week.
  static constexpr std::int64_t kept_ms = 7 * 86'400'000ll;

  result<producer_identity> initialise(embedded_database& database,
                                       const std::string& id, std::int64_t now);
  result<void> forget_old(embedded_database& database, std::int64_t now);

private:
  /// Of ids with a living handle.
  std::map<std::string, std::weak_ptr<std::atomic<std::uint64_t>>> latest_;
};

} // namespace weir
