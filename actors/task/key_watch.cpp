#include "actors/task/key_watch.hpp"

#include "runtime/base/log.hpp"
#include "runtime/stream/partitioner.hpp"

namespace weir {

namespace {

constexpr int looks_a_store = 100;

} // namespace

void key_watch::add(int number, std::string_view store) {
  if (partitions_ == 0)
    return;
  key_partition keys{job_, *job_.find(role::store, store)};
  if (!keys.is_known() || !stores_.emplace(number, keys).second)
    return;
  left_ += looks_a_store;
}

std::optional<std::string> key_watch::problem(std::string_view key) const {
  if (key.empty())
    return std::nullopt;
  auto store = stores_.find(static_cast<unsigned char>(key.front()));
  if (store == stores_.end())
    return std::nullopt;
  return store->second.problem(key.substr(1), partition_, partitions_);
}

void key_watch::look_at(std::string_view key) {
  --left_;
  auto why = problem(key);
  if (!why)
    return;
  log_warning("store.foreign_key", "task", partition_, "what", *why);
  stores_.erase(static_cast<unsigned char>(key.front()));
  if (stores_.empty())
    left_ = 0;
}

void key_watch::look_at(const record& x) {
  if (x.key() && partition_of(*x.key(), partitions_) != x.partition())
    left_ = 0;
}

} // namespace weir
