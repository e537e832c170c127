// Inputs whose committed end stands still while records wait behind it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/job/settings.hpp"

namespace weir {

/// The ends of one partition at one moment.
struct partition_ends {
  std::string topic;
  int partition = 0;
  /// Last stable offset: what readers of committed records can reach.
  std::int64_t stable = 0;
  /// High watermark.
  std::int64_t high = 0;
};

struct stalled_input {
  partition_ends at;
  std::int64_t since_ms = 0;
};

/// Remembers since when. A transaction that nobody ends holds the last stable
/// offset of a partition, and with it every reader of committed records, for
/// ever (KIP-890). Used by the node; knows no clock.
class stalled_inputs {
public:
  /// What has stood still for `patience` by now, each time it is looked at.
  std::vector<stalled_input> look(const std::vector<partition_ends>& ends,
                                  std::int64_t now_ms, milliseconds patience);

private:
  struct seen {
    std::int64_t stable;
    std::int64_t since_ms;
  };
  std::map<std::pair<std::string, int>, seen> seen_;
};

/// The command that finds who holds a partition's last stable offset.
std::string find_hanging(const settings& how, const std::string& topic,
                         int partition);

} // namespace weir
