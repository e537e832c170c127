// Opening the embedded log: read what there is, and refuse what contradicts
// itself before anybody builds on it.
#include <algorithm>

#include "runtime/base/log.hpp"
#include "runtime/embedded/log/log.hpp"
#include "runtime/embedded/log/partition_append.hpp"

namespace weir {

using namespace log_format;

namespace {

failure corrupt(const log_topic& topic, std::int32_t partition,
                std::int64_t offset, const std::string& what) {
  return fail(embedded_damage(name_of(topic, partition) + " offset " +
                              std::to_string(offset) + ": " + what));
}

std::string to(std::int64_t end) {
  return " (the partition ends at " + std::to_string(end) + ")";
}

/// Checks one partition and fills its memory from what is stored.
class partition_loader {
public:
  partition_loader(embedded_database& database, const log_topic& topic,
                   log_partition& partition, std::int64_t now)
      : database_(database), topic_(topic), partition_(partition), now_(now) {}

  result<void> load() {
    auto done = read_bounds();
    if (done && topic_.policy.compact)
      done = read_index();
    if (done)
      done = read_records();
    if (!done)
      return done;
    wake_list nobody;
    partition_.publish(bounds_, nobody);
    return {};
  }

private:
  /// What the index says of one offset.
  struct indexed {
    std::int64_t offset;
    bool marker;
    bool tombstone;
    std::int64_t appended;
    std::size_t key_hash;
  };

  failure broken(std::int64_t offset, const std::string& what) {
    return corrupt(topic_, partition_.id.partition, offset, what);
  }

  result<void> read_bounds() {
    std::string bytes;
    auto present = database_.get(bounds_key(partition_.id), bytes);
    if (!present)
      return fail(present.error());
    auto found = *present ? decode_bounds(bytes) : std::nullopt;
    if (!found || found->low < 0 || found->low > found->high)
      return broken(0, "the stored bounds are missing or broken");
    bounds_ = *found;
    return {};
  }

  result<void> read_index() {
    auto prefix = index_prefix(partition_.id);
    bool readable = true;
    auto scanned = database_.scan_prefix(
        prefix, [&](std::string_view key, std::string_view bytes) {
          auto entry = decode_index_entry(bytes);
          key.remove_prefix(prefix.size());
          readable = entry && !key.empty();
          if (readable)
            index_.push_back({entry->offset, key.front() == '\0',
                              entry->tombstone, entry->appended,
                              std::hash<std::string_view>{}(key.substr(1))});
          return readable;
        });
    if (!scanned)
      return scanned;
    if (!readable)
      return broken(bounds_.low, "the index of keys has a broken entry");
    std::ranges::sort(index_, {}, &indexed::offset);
    return {};
  }

  result<void> read_records() {
    result<void> checked;
    expected_ = bounds_.low;
    auto scanned = database_.scan_prefix(
        records_prefix(partition_.id),
        [&](std::string_view key, std::string_view bytes) {
          checked = check(offset_of(key), key, bytes);
          return checked.has_value();
        });
    if (!scanned)
      return scanned;
    if (!checked)
      return checked;
    if (!topic_.policy.compact && expected_ != bounds_.high)
      return broken(expected_, "the record is missing" + to(bounds_.high));
    if (next_indexed_ != index_.size())
      return broken(index_[next_indexed_].offset,
                    "the record that the index of keys names is missing" +
                        to(bounds_.high));
    return {};
  }

  result<void> check(std::int64_t offset, std::string_view key,
                     std::string_view bytes) {
    if (!topic_.policy.compact && offset > expected_)
      return broken(expected_, "the record is missing" + to(bounds_.high));
    if (offset < bounds_.low || offset >= bounds_.high)
      return broken(offset, "a record lies outside of the partition's bounds" +
                                to(bounds_.high));
    expected_ = offset + 1;
    auto x = decode_record(key, bytes);
    if (!x)
      return broken(offset, "the record's checksum is wrong");
    partition_.bytes += static_cast<std::int64_t>(key.size() + bytes.size());
    if (partition_.oldest < 0)
      partition_.oldest = x->timestamp;
    return topic_.policy.compact ? check_indexed(offset, *x) : result<void>{};
  }

  /// A record of a compacted partition is the last of its key, or superseded
  /// and waits for its removal.
  result<void> check_indexed(std::int64_t offset, const stored& x) {
    auto known = next_indexed_ < index_.size();
    if (known && index_[next_indexed_].offset < offset)
      return broken(index_[next_indexed_].offset,
                    "the record that the index of keys names is missing" +
                        to(bounds_.high));
    if (!known || index_[next_indexed_].offset != offset) {
      if (topic_.policy.compaction_lag_ms == 0)
        return broken(offset, "the index of keys does not have the record");
      partition_.superseded.push_back({now_, offset});
      return {};
    }
    auto& entry = index_[next_indexed_++];
    auto marker = x.type == record_type::marker;
    auto hash =
        std::hash<std::string_view>{}(x.key.value_or(std::string_view{}));
    if (entry.marker != marker || (!marker && entry.key_hash != hash) ||
        (!marker && entry.tombstone == x.value.has_value()))
      return broken(offset, "the index of keys names another record");
    if (marker)
      partition_.last_marker = offset;
    else if (entry.tombstone)
      partition_.tombstones.push_back({entry.appended, offset});
    return {};
  }

  embedded_database& database_;
  const log_topic& topic_;
  log_partition& partition_;
  const std::int64_t now_;
  bounds bounds_;
  std::vector<indexed> index_;
  std::size_t next_indexed_ = 0;
  std::int64_t expected_ = 0;
};

} // namespace

/// The steps of `embedded_log::open`.
class log_loader {
public:
  explicit log_loader(embedded_log& log)
      : log_(log), now_(log.world().wall_clock_ms()) {}

  result<void> load() {
    auto done = load_next_topic();
    if (done)
      done = load_topics();
    if (done)
      done = finish_removals();
    if (done)
      done = log_.epochs_.forget_old(log_.database(), now_);
    return done;
  }

private:
  result<void> load_next_topic() {
    std::string bytes;
    auto present = log_.database().get(next_topic_key(), bytes);
    if (!present)
      return fail(present.error());
    if (!*present)
      return {};
    auto next = decode_number(bytes);
    if (!next)
      return fail(embedded_damage("the next topic's id is broken"));
    log_.next_topic_ = static_cast<std::uint32_t>(*next);
    return {};
  }

  result<void> load_topics() {
    std::map<std::string, std::string> stored;
    auto prefix = topic_prefix();
    auto scanned = log_.database().scan_prefix(
        prefix, [&](std::string_view key, std::string_view bytes) {
          stored.emplace(key.substr(prefix.size()), bytes);
          return true;
        });
    if (!scanned)
      return scanned;
    for (auto& [name, bytes] : stored) {
      auto topic = decode_topic(name, bytes);
      if (!topic)
        return fail(topic.error());
      auto loaded = load_topic(**topic);
      if (!loaded)
        return loaded;
      log_.topics_.emplace(name, std::move(*topic));
    }
    return {};
  }

  result<void> load_topic(const log_topic& topic) {
    for (auto& p : topic.partitions) {
      auto loaded = partition_loader{log_.database(), topic, *p, now_}.load();
      if (loaded)
        loaded = drop_due(topic, *p);
      if (!loaded)
        return loaded;
      auto limits = p->limits();
      log_debug("log.partition-opened", "topic", topic.name, "partition",
                p->id.partition, "low", limits.low, "high", limits.high);
    }
    return {};
  }

  /// What became too old while nobody had the log open.
  result<void> drop_due(const log_topic& topic, log_partition& partition) {
    for (bool more = true; more;) {
      embedded_batch batch;
      partition_append step{log_.database(), topic, partition, now_, batch};
      auto done = step.finish();
      if (done && step.dropped_something())
        done = log_.database().write(batch);
      if (!done)
        return done;
      wake_list nobody;
      step.committed(nobody);
      more = step.more_to_drop();
    }
    return {};
  }

  result<void> finish_removals() {
    std::vector<std::uint32_t> doomed;
    auto scanned = log_.database().scan_prefix(
        doomed_prefix(), [&](std::string_view key, std::string_view) {
          doomed.push_back(doomed_topic(key));
          return true;
        });
    if (!scanned)
      return scanned;
    for (auto topic : doomed) {
      auto removed = log_.remove_records(topic);
      if (!removed)
        return removed;
    }
    return {};
  }

  embedded_log& log_;
  const std::int64_t now_;
};

result<std::shared_ptr<embedded_log>>
embedded_log::open(std::shared_ptr<embedded_database> database,
                   std::shared_ptr<outside_world> world) {
  auto log =
      std::make_shared<embedded_log>(std::move(database), std::move(world));
  auto loaded = log_loader{*log}.load();
  if (!loaded)
    return fail(
        loaded.error().within("opening '" + log->database().directory() + "'"));
  return log;
}

} // namespace weir
