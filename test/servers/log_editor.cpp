#include "test/servers/log_editor.hpp"

#include "runtime/embedded/log/log_state.hpp"

namespace weir::test {

using namespace log_format;

struct log_editor::place {
  std::shared_ptr<log_topic> topic;
  partition_id id;
  bounds limits;
};

namespace {

edited_record to_edited(std::int64_t offset, const stored& x) {
  edited_record out;
  out.offset = offset;
  out.marker = x.type == record_type::marker;
  if (x.key)
    out.key = std::string{*x.key};
  if (x.value)
    out.value = std::string{*x.value};
  out.timestamp = x.timestamp;
  std::vector<header> headers;
  if (x.headers != nullptr)
    read_headers(x.headers, headers);
  for (auto& h : headers)
    out.headers.emplace_back(h.name, h.value);
  return out;
}

/// The stored bytes of a record at its place.
std::string sealed(const edited_record& x, std::string_view place) {
  std::vector<header> headers;
  for (auto& [name, value] : x.headers)
    headers.push_back({name, value});
  content c;
  c.timestamp = x.timestamp;
  c.key = x.key;
  c.value = x.value;
  c.headers = headers.data();
  c.header_count = headers.size();
  std::string bytes;
  append_record(bytes, c);
  seal(bytes.data(), bytes.size(), place);
  return bytes;
}

failure missing(const std::string& what) {
  return fail(ec::not_found, what + " does not exist");
}

} // namespace

result<log_editor::place> log_editor::find(const std::string& topic,
                                           std::int32_t partition) {
  std::string bytes;
  auto present = database_->get(topic_key(topic), bytes);
  if (!present)
    return fail(present.error());
  if (!*present)
    return missing("topic '" + topic + "'");
  auto decoded = decode_topic(topic, bytes);
  if (!decoded)
    return fail(decoded.error());
  place where{*decoded, {(*decoded)->id, partition}, {}};
  present = database_->get(bounds_key(where.id), bytes);
  if (!present)
    return fail(present.error());
  auto limits = *present ? decode_bounds(bytes) : std::nullopt;
  if (!limits)
    return missing(name_of(**decoded, partition));
  where.limits = *limits;
  return where;
}

result<std::string> log_editor::stored(const place& where,
                                       std::int64_t offset) {
  std::string bytes;
  auto present = database_->get(record_key(where.id, offset), bytes);
  if (!present)
    return fail(present.error());
  if (!*present)
    return missing(name_of(*where.topic, where.id.partition) + " offset " +
                   std::to_string(offset));
  return bytes;
}

result<std::optional<index_entry>>
log_editor::indexed(std::string_view index_key) {
  std::string bytes;
  auto present = database_->get(index_key, bytes);
  if (!present)
    return fail(present.error());
  return *present ? decode_index_entry(bytes) : std::nullopt;
}

// -- looking

result<std::vector<edited_record>> log_editor::records(const std::string& topic,
                                                       std::int32_t partition) {
  auto where = find(topic, partition);
  if (!where)
    return fail(where.error());
  std::vector<edited_record> out;
  auto scanned = database_->scan_prefix(
      records_prefix(where->id), [&](std::string_view key, std::string_view x) {
        if (auto parsed = parse_record(x))
          out.push_back(to_edited(offset_of(key), *parsed));
        return true;
      });
  if (!scanned)
    return fail(scanned.error());
  return out;
}

result<bounds> log_editor::limits(const std::string& topic,
                                  std::int32_t partition) {
  auto where = find(topic, partition);
  if (!where)
    return fail(where.error());
  return where->limits;
}

// -- consistent edits

result<std::int64_t> log_editor::append(const std::string& topic,
                                        std::int32_t partition,
                                        const edited_record& record) {
  auto where = find(topic, partition);
  if (!where)
    return fail(where.error());
  auto offset = where->limits.high++;
  auto place = record_key(where->id, offset);
  embedded_batch batch;
  batch.put(place, sealed(record, place));
  auto& policy = where->topic->policy;
  if (policy.compact) {
    auto index = index_key(where->id, record.key.value_or(""));
    auto last = indexed(index);
    if (!last)
      return fail(last.error());
    if (*last && policy.compaction_lag_ms == 0)
      batch.erase(record_key(where->id, (*last)->offset));
    batch.put(index, encode(index_entry{offset, !record.value.has_value(),
                                        record.timestamp}));
  }
  batch.put(bounds_key(where->id), encode(where->limits));
  if (auto done = database_->write(batch); !done)
    return fail(done.error());
  return offset;
}

result<void> log_editor::rewrite(const std::string& topic,
                                 std::int32_t partition,
                                 const edited_record& record) {
  auto where = find(topic, partition);
  if (!where)
    return fail(where.error());
  auto before = stored(*where, record.offset);
  if (!before)
    return fail(before.error());
  embedded_batch batch;
  auto place = record_key(where->id, record.offset);
  batch.put(place, sealed(record, place));
  if (where->topic->policy.compact) {
    auto parsed = parse_record(*before);
    if (!parsed || parsed->key != record.key)
      return fail(ec::bad_argument, "the key of a compacted record must stay");
    auto index = index_key(where->id, record.key.value_or(""));
    auto last = indexed(index);
    if (!last)
      return fail(last.error());
    if (*last && (*last)->offset == record.offset)
      batch.put(index,
                encode(index_entry{record.offset, !record.value.has_value(),
                                   record.timestamp}));
  }
  return database_->write(batch);
}

result<void> log_editor::tear_out(const std::string& topic,
                                  std::int32_t partition, std::int64_t offset) {
  auto where = find(topic, partition);
  if (!where)
    return fail(where.error());
  if (!where->topic->policy.compact)
    return fail(ec::bad_argument,
                "a hole in a partition that is not compacted is damage");
  auto present = stored(*where, offset);
  if (!present)
    return fail(present.error());
  return remove_range(*where, {offset, offset + 1}, where->limits);
}

result<void> log_editor::drop_tail(const std::string& topic,
                                   std::int32_t partition, std::int64_t from) {
  auto where = find(topic, partition);
  if (!where)
    return fail(where.error());
  return remove_range(*where, {from, where->limits.high},
                      {where->limits.low, from});
}

result<void> log_editor::drop_head(const std::string& topic,
                                   std::int32_t partition, std::int64_t low) {
  auto where = find(topic, partition);
  if (!where)
    return fail(where.error());
  return remove_range(*where, {where->limits.low, low},
                      {low, where->limits.high});
}

result<void> log_editor::remove_range(const place& where, bounds range,
                                      bounds left) {
  embedded_batch batch;
  auto collect = [&](auto&& wanted) {
    return [&batch, wanted](std::string_view key, std::string_view value) {
      if (wanted(value))
        batch.erase(key);
      return true;
    };
  };
  auto scanned = database_->scan(
      record_key(where.id, range.low), record_key(where.id, range.high),
      collect([](std::string_view) { return true; }));
  if (!scanned)
    return scanned;
  scanned = database_->scan_prefix(
      index_prefix(where.id), collect([range](std::string_view value) {
        auto entry = decode_index_entry(value);
        return entry && entry->offset >= range.low &&
               entry->offset < range.high;
      }));
  if (!scanned)
    return scanned;
  batch.put(bounds_key(where.id), encode(left));
  return database_->write(batch);
}

result<void> log_editor::compact(const std::string& topic,
                                 std::int32_t partition, std::int64_t from,
                                 std::int64_t to) {
  auto where = find(topic, partition);
  if (!where)
    return fail(where.error());
  auto all = records(topic, partition);
  if (!all)
    return fail(all.error());
  embedded_batch batch;
  for (auto& x : *all) {
    if (x.offset < from || x.offset >= to)
      continue;
    auto last = indexed(x.marker ? marker_index_key(where->id)
                                 : index_key(where->id, x.key.value_or("")));
    if (!last)
      return fail(last.error());
    if (*last && (*last)->offset > x.offset)
      batch.erase(record_key(where->id, x.offset));
  }
  return database_->write(batch);
}

// -- damaging edits

result<void> log_editor::remove(const std::string& topic,
                                std::int32_t partition, std::int64_t offset) {
  auto where = find(topic, partition);
  if (!where)
    return fail(where.error());
  auto present = stored(*where, offset);
  if (!present)
    return fail(present.error());
  embedded_batch batch;
  batch.erase(record_key(where->id, offset));
  return database_->write(batch);
}

result<void> log_editor::damage(const std::string& topic,
                                std::int32_t partition, std::int64_t offset,
                                std::size_t at, std::string_view bytes) {
  auto where = find(topic, partition);
  if (!where)
    return fail(where.error());
  auto record = stored(*where, offset);
  if (!record)
    return fail(record.error());
  if (at + bytes.size() > record->size())
    return fail(ec::not_found, "the record has only " +
                                   std::to_string(record->size()) + " bytes");
  record->replace(at, bytes.size(), bytes);
  embedded_batch batch;
  batch.put(record_key(where->id, offset), *record);
  return database_->write(batch);
}

} // namespace weir::test
