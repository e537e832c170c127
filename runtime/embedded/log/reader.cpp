#include "runtime/embedded/log/reader.hpp"

#include "runtime/stream/record_access.hpp"

#include <algorithm>

namespace weir {

using namespace log_format;

namespace {

/// The memory behind a batch; it may outlive the reader.
class arena final : public record_batch::holder {
public:
  struct entry {
    std::int64_t offset;
    std::size_t at;
    std::size_t size;
  };

  void release() noexcept override {
    entries.clear();
    bytes.clear();
    // One record may have been far larger than the others.
    if (bytes.capacity() > 2 * bound)
      bytes = {};
  }

  /// What a poll copies, but for its last record.
  std::size_t bound = 0;

  std::string bytes;
  std::vector<entry> entries;
  /// Owns the name that the records view.
  std::shared_ptr<const log_topic> topic;
};

class embedded_reader final : public partition_reader {
public:
  embedded_reader(std::shared_ptr<embedded_log> log,
                  std::shared_ptr<log_topic> topic, log_partition& partition,
                  reader_options options)
      : log_(std::move(log)), topic_(std::move(topic)), partition_(partition),
        slot_(std::make_shared<wake_slot>(std::move(options.on_ready))),
        position_(options.start),
        poll_bytes_(std::max<std::size_t>(options.read_ahead_bytes, 1)) {}

  ~embedded_reader() override {
    partition_.disarm(slot_);
    slot_->close();
  }

  void wake() { slot_->fire(); }

  result<void> poll(record_batch& out, std::size_t max) override {
    out.clear();
    auto limits = partition_.limits();
    auto inside = check_position(limits);
    if (!inside || max == 0)
      return inside;
    auto& memory = arena_of(out);
    auto next = position_;
    if (position_ < limits.high) {
      auto end = read(memory, max, limits);
      if (!end)
        return fail(end.error());
      next = *end;
    }
    if (!memory.entries.empty())
      return deliver(memory, out, limits.high);
    return finish_empty(next, limits.high);
  }

  std::int64_t position() const noexcept override { return position_; }
  bool at_end() const noexcept override { return at_end_; }

private:
  result<void> check_position(const bounds& limits) const {
    if (topic_->deleted)
      return fail(ec::not_found, "topic '" + topic_->name + "' was deleted");
    if (position_ >= limits.low && position_ <= limits.high)
      return {};
    return fail(ec::offset_out_of_range,
                name() + " has offsets " + std::to_string(limits.low) + " to " +
                    std::to_string(limits.high) + ", not " +
                    std::to_string(position_));
  }

  std::string name() const { return name_of(*topic_, partition_.id.partition); }

  arena& arena_of(record_batch& out) {
    auto* memory = dynamic_cast<arena*>(out.native());
    if (memory == nullptr) {
      auto made = std::make_unique<arena>();
      memory = made.get();
      out.set_native(std::move(made));
    }
    memory->topic = topic_;
    memory->bound = poll_bytes_;
    return *memory;
  }

  /// Copies data records from `position_` on. Answers with the offset up to
  /// which the partition was seen.
  result<std::int64_t> read(arena& memory, std::size_t max,
                            const bounds& limits) {
    auto expected = position_;
    auto end = limits.high;
    result<void> fine;
    auto visit = [&](std::string_view key, std::string_view bytes) {
      auto offset = offset_of(key);
      if (offset != expected && !topic_->policy.compact) {
        fine = fail(embedded_damage(name() + " offset " +
                                    std::to_string(expected) +
                                    ": the record is missing"));
        return false;
      }
      expected = offset + 1;
      if (auto x = decode_record(key, bytes); !x) {
        fine =
            fail(embedded_damage(name() + " offset " + std::to_string(offset) +
                                 ": the record's checksum is wrong"));
        return false;
      } else if (x->type == record_type::data) {
        memory.entries.push_back({offset, memory.bytes.size(), bytes.size()});
        memory.bytes.append(bytes);
      }
      if (memory.entries.size() < max && memory.bytes.size() < poll_bytes_)
        return true;
      end = expected;
      return false;
    };
    auto scanned =
        log_->database().scan(record_key(partition_.id, position_),
                              record_key(partition_.id, limits.high), visit);
    if (!scanned)
      return fail(scanned.error());
    if (!fine) {
      // Retention may have passed the reader while it read.
      auto inside = check_position(partition_.limits());
      return fail(inside ? fine.error() : inside.error());
    }
    return end;
  }

  result<void> deliver(arena& memory, record_batch& out, std::int64_t high) {
    auto& records = out.mutable_records();
    using access = detail::record_access;
    records.reserve(memory.entries.size());
    std::string_view all{memory.bytes};
    for (auto& entry : memory.entries) {
      auto x = parse_record(all.substr(entry.at, entry.size));
      auto& r = records.emplace_back();
      access::set_topic(r, memory.topic->name);
      access::set_position(r, partition_.id.partition, entry.offset,
                           x->timestamp);
      if (x->key)
        access::set_key(r, *x->key);
      if (x->value)
        access::set_value(r, *x->value);
      if (x->headers != nullptr)
        access::set_headers(r, x->headers, read_headers);
    }
    position_ = memory.entries.back().offset + 1;
    at_end_ = position_ == high;
    return {};
  }

  /// Only markers, or what compaction left of them, were in between.
  result<void> finish_empty(std::int64_t seen, std::int64_t high) {
    position_ = seen;
    at_end_ = seen == high;
    if (!at_end_ || !partition_.arm(position_, slot_))
      slot_->fire();
    // A topic that was deleted before the reader was armed wakes nobody.
    if (topic_->deleted)
      return check_position({});
    return {};
  }

  const std::shared_ptr<embedded_log> log_;
  const std::shared_ptr<log_topic> topic_;
  log_partition& partition_;
  const std::shared_ptr<wake_slot> slot_;
  std::int64_t position_;
  const std::size_t poll_bytes_;
  bool at_end_ = false;
};

} // namespace

result<std::unique_ptr<partition_reader>>
open_embedded_reader(std::shared_ptr<embedded_log> log,
                     reader_options options) {
  auto topic = log->get(options.topic);
  if (!topic)
    return fail(topic.error());
  auto* partition = (*topic)->find(options.partition);
  if (partition == nullptr)
    return fail(ec::not_found, "topic '" + options.topic + "' has " +
                                   std::to_string((*topic)->partitions.size()) +
                                   " partitions; there is no partition " +
                                   std::to_string(options.partition));
  auto reader = std::make_unique<embedded_reader>(
      std::move(log), std::move(*topic), *partition, std::move(options));
  reader->wake();
  return reader;
}

} // namespace weir
