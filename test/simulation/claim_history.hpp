// Which producer ids each task's claim has named, as the coordination service's
// disk has it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/leveldb/database.hpp"

namespace weir::sim {

/// Looks after every step of the coordination service, so that it misses no
/// claim. One life; one thread.
class claim_history {
public:
  claim_history(std::shared_ptr<embedded_database> database,
                const std::string& job, int partitions);

  void look();
  /// Whether the claim names this id, or has.
  bool has_named(int partition, const std::string& id) const;

private:
  struct entry {
    std::string key;
    std::string bytes;
    std::set<std::string> ids;
  };

  std::shared_ptr<embedded_database> database_;
  std::vector<entry> claims_;
};

} // namespace weir::sim
