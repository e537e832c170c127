#include "runtime/embedded/log/partition_append.hpp"

namespace weir {

using namespace log_format;

namespace {

/// Records that one commit drops at most by retention: keeps a commit short
/// when a limit was missed for long.
constexpr std::size_t most_drops = 20'000;
/// Keys of a compacted partition whose last offset is kept in memory: the hot
/// set of a task is found without the database, a huge one costs no memory.
constexpr std::size_t most_index_entries = 65'536;

} // namespace

partition_append::partition_append(embedded_database& database,
                                   const log_topic& topic,
                                   log_partition& partition, std::int64_t now,
                                   embedded_batch& out)
    : database_(database), topic_(topic), partition_(partition), now_(now),
      out_(out), limits_(partition.limits()),
      key_(record_key(partition.id, limits_.high)), bytes_(partition.bytes),
      oldest_(partition.oldest), last_marker_(partition.last_marker) {}

void partition_append::put(std::string_view key, std::string_view record) {
  out_.put(key, record);
  bytes_ += static_cast<std::int64_t>(key.size() + record.size());
  ++limits_.high;
}

result<std::int64_t> partition_append::add(char* record, std::size_t size) {
  auto offset = limits_.high;
  if (topic_.policy.append_time)
    set_timestamp(record, now_);
  set_offset(key_, offset);
  seal(record, size, key_);
  put(key_, {record, size});
  if (!topic_.policy.compact)
    return offset;
  auto parsed = parse_record({record, size});
  auto replaced =
      replace(parsed->key.value_or(std::string_view{}), offset, !parsed->value);
  if (!replaced)
    return fail(replaced.error());
  return offset;
}

void partition_append::add_marker(std::string_view producer_id,
                                  std::uint64_t epoch) {
  auto offset = limits_.high;
  auto marker = encode_marker(now_, producer_id, epoch);
  set_offset(key_, offset);
  seal(marker.data(), marker.size(), key_);
  put(key_, marker);
  if (!topic_.policy.compact)
    return;
  if (last_marker_ >= 0)
    supersede(last_marker_);
  last_marker_ = offset;
  out_.put(marker_index_key(partition_.id),
           encode(index_entry{offset, false, now_}));
}

// -- compaction

result<index_entry> partition_append::last_of(std::string_view key) {
  auto& known = partition_.index;
  auto found = known.find(std::string{key});
  if (found != known.end())
    return found->second;
  std::string bytes;
  auto present = database_.get(index_key(partition_.id, key), bytes);
  if (!present)
    return fail(present.error());
  index_entry entry{-1, false, 0};
  if (*present) {
    auto decoded = decode_index_entry(bytes);
    if (!decoded)
      return fail(embedded_damage("the index of " +
                                  name_of(topic_, partition_.id.partition) +
                                  " has a broken entry"));
    entry = *decoded;
  }
  known.emplace(key, entry);
  return entry;
}

result<void> partition_append::replace(std::string_view key,
                                       std::int64_t offset, bool tombstone) {
  auto last = last_of(key);
  if (!last)
    return fail(last.error());
  if (last->offset >= 0)
    supersede(last->offset);
  index_entry entry{offset, tombstone, now_};
  out_.put(index_key(partition_.id, key), encode(entry));
  partition_.index[std::string{key}] = entry;
  if (tombstone)
    tombstones_.push_back({now_, offset});
  return {};
}

void partition_append::supersede(std::int64_t offset) {
  if (topic_.policy.compaction_lag_ms == 0)
    drop(offset);
  else
    superseded_.push_back({now_, offset});
}

void partition_append::drop(std::int64_t offset) {
  out_.erase(record_key(partition_.id, offset));
  dropped_ = true;
}

void partition_append::drop_superseded() {
  auto& waiting = partition_.superseded;
  auto limit = now_ - topic_.policy.compaction_lag_ms;
  for (; superseded_done_ < waiting.size(); ++superseded_done_) {
    if (waiting[superseded_done_].appended > limit)
      return;
    drop(waiting[superseded_done_].offset);
  }
}

result<void> partition_append::forget(std::string_view key,
                                      std::int64_t offset) {
  auto last = last_of(key);
  if (!last)
    return fail(last.error());
  if (last->offset != offset)
    return {};
  out_.erase(index_key(partition_.id, key));
  partition_.index[std::string{key}] = {-1, false, 0};
  return {};
}

result<void> partition_append::drop_tombstones() {
  auto& waiting = partition_.tombstones;
  auto limit = now_ - topic_.policy.delete_retention_ms;
  for (; tombstones_done_ < waiting.size(); ++tombstones_done_) {
    auto& oldest = waiting[tombstones_done_];
    if (oldest.appended > limit)
      return {};
    auto place = record_key(partition_.id, oldest.offset);
    std::string bytes;
    auto present = database_.get(place, bytes);
    if (!present)
      return fail(present.error());
    auto tombstone = *present ? decode_record(place, bytes) : std::nullopt;
    // A later record of its key has dropped it, or will.
    if (!tombstone || !tombstone->key)
      continue;
    auto last = last_of(*tombstone->key);
    if (!last)
      return fail(last.error());
    if (last->offset != oldest.offset)
      continue;
    auto forgotten = forget(*tombstone->key, oldest.offset);
    if (!forgotten)
      return forgotten;
    drop(oldest.offset);
  }
  return {};
}

// -- retention

result<void> partition_append::drop_old() {
  auto& policy = topic_.policy;
  auto by_time = policy.expire && policy.retention_ms >= 0;
  auto by_bytes = policy.expire && policy.retention_bytes >= 0;
  auto too_old = [&](std::int64_t timestamp) {
    return by_time && timestamp < now_ - policy.retention_ms;
  };
  auto too_many = [&] { return by_bytes && bytes_ > policy.retention_bytes; };
  auto before = partition_.limits();
  if (!too_many() && !(by_time && (oldest_ < 0 || too_old(oldest_))) &&
      below_ <= before.low)
    return {};
  struct removal {
    std::int64_t offset;
    std::string key;
  };
  std::vector<removal> removals;
  oldest_ = -1;
  limits_.low = before.high;
  auto visit = [&](std::string_view place, std::string_view bytes) {
    auto offset = offset_of(place);
    auto x = parse_record(bytes);
    // A marker is worth nothing without the records before it.
    auto goes = !x || x->type == record_type::marker || too_old(x->timestamp) ||
                too_many() || offset < below_;
    if (!goes || removals.size() == most_drops) {
      more_to_drop_ = goes;
      oldest_ = x ? x->timestamp : -1;
      limits_.low = offset;
      return false;
    }
    removals.push_back({offset, std::string{x && x->key ? *x->key : ""}});
    bytes_ -= static_cast<std::int64_t>(place.size() + bytes.size());
    return true;
  };
  auto scanned = database_.scan(record_key(partition_.id, before.low),
                                record_key(partition_.id, before.high), visit);
  if (!scanned)
    return scanned;
  // Compaction leaves gaps, also in front: they are no retention.
  if (removals.empty())
    limits_.low = before.low;
  for (auto& x : removals) {
    drop(x.offset);
    if (policy.compact) {
      auto forgotten = forget(x.key, x.offset);
      if (!forgotten)
        return forgotten;
    }
    if (policy.compact && x.offset == last_marker_) {
      out_.erase(marker_index_key(partition_.id));
      last_marker_ = -1;
    }
  }
  return {};
}

// -- the end of a commit

result<void> partition_append::finish() {
  if (topic_.policy.compact) {
    drop_superseded();
    auto dropped = drop_tombstones();
    if (!dropped)
      return dropped;
  }
  auto dropped = drop_old();
  if (!dropped)
    return dropped;
  out_.put(bounds_key(partition_.id), encode(limits_));
  return {};
}

void partition_append::committed(wake_list& wake) {
  auto& p = partition_;
  p.bytes = bytes_;
  p.oldest = oldest_;
  p.last_marker = last_marker_;
  auto shift = [](std::deque<waiting_removal>& to, std::size_t done,
                  const std::vector<waiting_removal>& added) {
    to.erase(to.begin(), to.begin() + static_cast<std::ptrdiff_t>(done));
    to.insert(to.end(), added.begin(), added.end());
  };
  shift(p.superseded, superseded_done_, superseded_);
  shift(p.tombstones, tombstones_done_, tombstones_);
  if (p.index.size() > most_index_entries)
    p.index.clear();
  p.publish(limits_, wake);
}

void partition_append::abandoned() {
  partition_.index.clear();
}

} // namespace weir
