#include "actors/task/key_partition.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/stream/partitioner.hpp"

namespace weir {

namespace {

/// "(text,i64)" -> "text", "{a:text,b:i64}" -> "text"; empty: no composite.
std::string_view first_part_of(std::string_view type) {
  if (type.empty() || (type.front() != '(' && type.front() != '{'))
    return {};
  auto begin = type.front() == '{' ? type.find(':') + 1 : std::size_t{1};
  int depth = 0;
  for (auto i = begin; i < type.size(); ++i) {
    auto c = type[i];
    if (depth == 0 && (c == ',' || c == ')' || c == '}'))
      return type.substr(begin, i - begin);
    depth += c == '(' || c == '{' || c == '[';
    depth -= c == ')' || c == '}' || c == ']';
  }
  return {};
}

const detail::text_ops* find_key(const job& of, std::string_view type) {
  for (auto& each : of.parts())
    if ((each.role == role::input || each.role == role::internal) &&
        each.key != nullptr && each.key->parse != nullptr &&
        each.key->type() == type)
      return each.key;
  return nullptr;
}

} // namespace

key_partition::key_partition(const job& of, const part& store) : store_(store) {
  if (store.local || store.key->show == nullptr)
    return;
  auto type = store.key->type();
  topic_key_ = find_key(of, type);
  if (topic_key_ != nullptr)
    return;
  by_first_part_ = true;
  topic_key_ = find_key(of, first_part_of(type));
}

std::optional<int> key_partition::of(std::string_view stored,
                                     int partitions) const {
  std::string json, bytes;
  if (topic_key_ == nullptr || !store_.key->show(stored, json))
    return std::nullopt;
  if (by_first_part_) {
    auto whole = nlohmann::ordered_json::parse(json, nullptr, false);
    if (!whole.is_structured() || whole.empty())
      return std::nullopt;
    json = whole.begin()->dump();
  }
  if (!topic_key_->parse(json, bytes))
    return std::nullopt;
  return partition_of(bytes, partitions);
}

std::optional<std::string> key_partition::problem(std::string_view stored,
                                                  int partition,
                                                  int partitions) const {
  auto owner = of(stored, partitions);
  if (!owner || *owner == partition)
    return std::nullopt;
  std::string json;
  static_cast<void>(store_.key->show(stored, json));
  return fmt::format("store '{}', key {}: belongs to partition {}, not to this "
                     "task's {}. Re-key through a weir::internal topic, or "
                     "declare the store {{.local = true}}",
                     store_.name, json, *owner, partition);
}

} // namespace weir
