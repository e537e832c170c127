#include "test/simulation/claim_history.hpp"

#include <utility>

#include "actors/base/znodes.hpp"
#include "runtime/embedded/coordination/znode_format.hpp"

namespace weir::sim {

claim_history::claim_history(std::shared_ptr<embedded_database> database,
                             const std::string& job, int partitions)
    : database_(std::move(database)) {
  for (int p = 0; p < partitions; ++p)
    claims_.push_back(
        {znode_format::node_key(znode_paths{job}.claim(p)), {}, {}});
  look();
}

void claim_history::look() {
  for (auto& each : claims_) {
    std::string bytes;
    auto found = database_->get(each.key, bytes);
    if (!found || !*found || bytes == each.bytes)
      continue;
    each.bytes = bytes;
    auto node = znode_format::decode_node(bytes);
    if (!node)
      continue;
    if (auto claim = decode_claim(node->data))
      each.ids.insert(claim->producer_id);
  }
}

bool claim_history::has_named(int partition, const std::string& id) const {
  auto i = static_cast<std::size_t>(partition);
  return i < claims_.size() && claims_[i].ids.count(id) > 0;
}

} // namespace weir::sim
