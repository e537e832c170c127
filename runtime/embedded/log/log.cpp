#include "runtime/embedded/log/log.hpp"

#include <unordered_map>

#include "runtime/embedded/log/partition_append.hpp"

namespace weir {

using namespace log_format;

namespace {

/// Memory that a producer keeps from one transaction to the next.
constexpr std::size_t most_kept_bytes = 16u << 20;
/// Keys that one batch of a topic's removal erases.
constexpr std::size_t removal_batch = 20'000;
/// Directory-like limits, so that a typing error is no flood of partitions.
constexpr int most_partitions = 10'000;
constexpr std::size_t longest_name = 249;

bool legal_name(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.size() > longest_name)
    return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
         std::string::npos;
}

result<void> check_new_topic(const std::string& name,
                             const topic_settings& settings) {
  if (!legal_name(name))
    return fail(ec::bad_argument,
                "'" + name +
                    "' is no topic name; use up to 249 letters, digits, '.', "
                    "'_' and '-'");
  if (settings.partitions < 1 || settings.partitions > most_partitions)
    return fail(ec::bad_argument, "topic '" + name + "' cannot have " +
                                      std::to_string(settings.partitions) +
                                      " partitions; use 1 to " +
                                      std::to_string(most_partitions));
  auto policy = parse_policy(name, settings);
  if (!policy)
    return fail(policy.error());
  return {};
}

/// The partitions that one commit touches, in order of their first record.
class commit_parts {
public:
  commit_parts(embedded_database& database, std::int64_t now,
               embedded_batch& out)
      : database_(database), now_(now), out_(out) {}

  partition_append& of(const log_topic& topic, log_partition& partition) {
    if (last_ != nullptr && &last_->partition() == &partition)
      return *last_;
    auto& slot = found_[&partition];
    if (slot == nullptr) {
      all_.push_back(std::make_unique<partition_append>(database_, topic,
                                                        partition, now_, out_));
      slot = all_.back().get();
    }
    return *(last_ = slot);
  }

  const std::vector<std::unique_ptr<partition_append>>& all() const {
    return all_;
  }

private:
  embedded_database& database_;
  const std::int64_t now_;
  embedded_batch& out_;
  partition_append* last_ = nullptr;
  std::unordered_map<log_partition*, partition_append*> found_;
  std::vector<std::unique_ptr<partition_append>> all_;
};

/// Everything up to the written batch.
result<void> write_parts(pending_records& records, const producer_identity* who,
                         embedded_database& database, commit_parts& parts,
                         embedded_batch& batch) {
  for (auto& x : records.items) {
    if (x.topic->deleted)
      return fail(ec::not_found, "topic '" + x.topic->name +
                                     "' was deleted while records were sent "
                                     "to it");
    auto offset = parts.of(*x.topic, *x.topic->find(x.partition))
                      .add(records.bytes.data() + x.at, x.size);
    if (!offset)
      return fail(offset.error());
    x.offset = *offset;
  }
  for (auto& part : parts.all()) {
    if (who != nullptr)
      part->add_marker(who->id, who->epoch);
    auto finished = part->finish();
    if (!finished)
      return finished;
  }
  return database.write(batch);
}

} // namespace

void pending_records::clear() {
  items.clear();
  bytes.clear();
  if (bytes.capacity() > most_kept_bytes)
    bytes = {};
}

embedded_log::embedded_log(std::shared_ptr<embedded_database> database,
                           std::shared_ptr<outside_world> world)
    : database_(std::move(database)), world_(std::move(world)) {}

// -- topics

std::shared_ptr<log_topic> embedded_log::find(const std::string& name) const {
  std::lock_guard lock{topics_mutex_};
  auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second;
}

result<std::shared_ptr<log_topic>>
embedded_log::get(const std::string& name) const {
  auto topic = find(name);
  if (!topic)
    return fail(ec::not_found, "topic '" + name + "' does not exist in '" +
                                   database_->directory() +
                                   "'; create it first");
  return topic;
}

result<void> embedded_log::create(const std::string& name,
                                  const topic_settings& settings) {
  auto possible = check_new_topic(name, settings);
  if (!possible)
    return possible;
  std::lock_guard lock{append_mutex_};
  if (find(name))
    return fail(ec::already_exists, "topic '" + name + "' exists already");
  log_topic wanted;
  wanted.id = next_topic_;
  wanted.settings = settings;
  auto stored = encode(wanted);
  auto topic = decode_topic(name, stored);
  if (!topic)
    return fail(topic.error());
  embedded_batch batch;
  batch.put(next_topic_key(), encode_number(next_topic_ + 1));
  batch.put(topic_key(name), stored);
  for (auto& p : (*topic)->partitions)
    batch.put(bounds_key(p->id), encode(bounds{}));
  auto written = database_->write(batch);
  if (!written)
    return written;
  ++next_topic_;
  std::lock_guard topics_lock{topics_mutex_};
  topics_.emplace(name, std::move(*topic));
  return {};
}

result<void> embedded_log::remove(const std::string& name) {
  wake_list wake;
  std::uint32_t id = 0;
  {
    std::lock_guard lock{append_mutex_};
    auto topic = get(name);
    if (!topic)
      return fail(topic.error());
    id = (*topic)->id;
    embedded_batch batch;
    batch.erase(topic_key(name));
    batch.put(doomed_key(id), name);
    auto written = database_->write(batch);
    if (!written)
      return written;
    (*topic)->deleted = true;
    for (auto& p : (*topic)->partitions)
      p->publish(p->limits(), wake);
    std::lock_guard topics_lock{topics_mutex_};
    topics_.erase(name);
  }
  for (auto& slot : wake)
    slot->fire();
  return remove_records(id);
}

result<void> embedded_log::remove_records(std::uint32_t topic) {
  for (auto& prefix :
       {records_prefix(topic), index_prefix(topic), partitions_prefix(topic)}) {
    embedded_batch batch;
    do {
      batch.clear();
      auto scanned = database_->scan_prefix(
          prefix, [&](std::string_view key, std::string_view) {
            batch.erase(key);
            return batch.changes() < removal_batch;
          });
      auto removed = scanned ? database_->write(batch) : scanned;
      if (!removed)
        return removed;
    } while (!batch.empty());
  }
  embedded_batch last;
  auto scanned = database_->scan_prefix(
      group_prefix(), [&](std::string_view key, std::string_view) {
        if (group_partition(key).topic == topic)
          last.erase(key);
        return true;
      });
  if (!scanned)
    return scanned;
  last.erase(doomed_key(topic));
  return database_->write(last);
}

result<void> embedded_log::delete_below(const std::string& name,
                                        std::int32_t partition,
                                        std::int64_t offset) {
  for (;;) {
    wake_list wake;
    bool more = false;
    {
      std::lock_guard lock{append_mutex_};
      auto topic = get(name);
      if (!topic)
        return fail(topic.error());
      auto* place = (*topic)->find(partition);
      if (place == nullptr)
        return fail(ec::not_found,
                    name_of(**topic, partition) + " does not exist");
      if (offset > place->limits().high)
        return fail(ec::offset_out_of_range,
                    name_of(**topic, partition) + " ends at " +
                        std::to_string(place->limits().high) + ", below " +
                        std::to_string(offset));
      embedded_batch batch;
      partition_append part{*database_, **topic, *place,
                            world_->wall_clock_ms(), batch};
      part.drop_below(offset);
      auto written = part.finish();
      if (written)
        written = database_->write(batch);
      if (!written) {
        part.abandoned();
        return written;
      }
      part.committed(wake);
      more = part.more_to_drop() && place->limits().low < offset;
    }
    for (auto& slot : wake)
      slot->fire();
    if (!more)
      return {};
  }
}

// -- producers

result<producer_identity>
embedded_log::initialise(const std::string& transactional_id) {
  std::lock_guard lock{append_mutex_};
  return epochs_.initialise(*database_, transactional_id,
                            world_->wall_clock_ms());
}

result<void> embedded_log::append(pending_records& records,
                                  const producer_identity* who) {
  wake_list wake;
  {
    std::lock_guard lock{append_mutex_};
    auto appended = append_locked(records, who, wake);
    if (!appended)
      return appended;
  }
  for (auto& slot : wake)
    slot->fire();
  return {};
}

result<void> embedded_log::append_locked(pending_records& records,
                                         const producer_identity* who,
                                         wake_list& wake) {
  if (who != nullptr && who->fenced())
    return fail(ec::fenced, "transactional id '" + who->id +
                                "' was taken over by another handle");
  embedded_batch batch;
  commit_parts parts{*database_, world_->wall_clock_ms(), batch};
  auto written = write_parts(records, who, *database_, parts, batch);
  for (auto& part : parts.all()) {
    if (written)
      part->committed(wake);
    else
      part->abandoned();
  }
  return written;
}

} // namespace weir
