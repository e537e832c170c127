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
  if (keys.is_known() &&
      stores_.emplace(number, watched{keys, looks_a_store}).second)
    left_ += looks_a_store;
}

key_watch::watched* key_watch::store_of(std::string_view key) {
  auto store = key.empty()
                   ? stores_.end()
                   : stores_.find(static_cast<unsigned char>(key.front()));
  return store == stores_.end() ? nullptr : &store->second;
}

std::optional<std::string> key_watch::problem(std::string_view key) {
  auto* store = store_of(key);
  if (store == nullptr)
    return std::nullopt;
  return store->keys.problem(key.substr(1), partition_, partitions_);
}

void key_watch::look_at(std::string_view key) {
  auto* store = store_of(key);
  if (store == nullptr || store->looks_left == 0)
    return;
  auto why = problem(key);
  // One warning a store.
  auto spent = why ? store->looks_left : 1;
  store->looks_left -= spent;
  left_ -= spent;
  if (why)
    log_warning("store.foreign_key", "task", partition_, "what", *why);
}

void key_watch::look_at(const record& x) {
  if (x.key() && partition_of(*x.key(), partitions_) != x.partition())
    left_ = 0;
}

} // namespace weir
