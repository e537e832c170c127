#include "stores/replay/restore_writer.hpp"

#include <utility>

#include "runtime/base/assert.hpp"
#include "runtime/bytes/binary.hpp"
#include "stores/changelog/raw_key.hpp"

namespace weir {

namespace {

void append(change_batch& to, std::string_view key,
            std::optional<std::string_view> value) {
  if (value)
    to.put(key, *value);
  else
    to.erase(key);
}

void append(change_batch& to, const change_batch& from) {
  from.for_each(
      [&](std::string_view key, std::optional<std::string_view> value) {
        append(to, key, value);
      });
}

/// Big-endian, so that staged records keep their order.
std::string staged_key(std::uint64_t number) {
  std::string out{metadata_key::staged};
  for (int shift = 56; shift >= 0; shift -= 8)
    out += static_cast<char>(number >> shift);
  return out;
}

std::string encode_staged(std::string_view key,
                          std::optional<std::string_view> value) {
  detail::binary_writer out;
  out.u8(value ? 1 : 0);
  out.u32(static_cast<std::uint32_t>(key.size()));
  out.bytes(key);
  out.bytes(value.value_or(std::string_view{}));
  return out.take();
}

struct change {
  std::string_view key;
  std::optional<std::string_view> value;
};

/// What `encode_staged` wrote; nothing for other bytes.
std::optional<change> decode_staged(std::string_view bytes) {
  detail::binary_reader in{bytes};
  auto present = in.u8() != 0;
  auto key = in.bytes(in.u32());
  if (!in.ok())
    return std::nullopt;
  return change{key, present ? std::optional{in.rest()} : std::nullopt};
}

} // namespace

restore_writer::restore_writer(backend& store,
                               const database_metadata& metadata,
                               std::size_t batch_bytes, std::int64_t started_ms)
    : store_(store), batch_bytes_(batch_bytes), started_ms_(started_ms),
      marked_(metadata.restoring_since.has_value()), leftovers_(marked_),
      in_place_(!metadata.commit), wrote_in_place_(in_place_ && marked_) {}

// -- held records

result<void> restore_writer::hold(std::string_view key,
                                  std::optional<std::string_view> value) {
  append(held_, key, value);
  ++held_count_;
  return held_.bytes() < batch_bytes_ ? result<void>{} : spill();
}

result<void> restore_writer::spill() {
  // In the order of the changelog: what is complete comes first.
  if (auto done = flush(); !done)
    return done;
  change_batch batch;
  if (in_place_) {
    batch = std::exchange(held_, {});
    wrote_in_place_ = true;
    return write(batch);
  }
  if (leftovers_)
    if (auto done = erase_staged(nullptr); !done)
      return done;
  held_.for_each(
      [&](std::string_view key, std::optional<std::string_view> value) {
        batch.put(staged_key(staged_++), encode_staged(key, value));
      });
  held_.clear();
  return write(batch);
}

result<void> restore_writer::complete(const commit_record& commit,
                                      std::int64_t position) {
  if (staged_ > 0)
    if (auto done = unstage(); !done)
      return done;
  append(ready_, held_);
  held_.clear();
  held_count_ = 0;
  in_place_ = wrote_in_place_ = false;
  commit_ = commit;
  position_ = position;
  return ready_.bytes() < batch_bytes_ ? result<void>{} : flush();
}

/// Moves staged records to their places, a batch at a time: a scan's visitor
/// must not write.
result<void> restore_writer::unstage() {
  auto end = staged_key(staged_);
  for (std::uint64_t next = 0; next < staged_;) {
    change_batch batch;
    bool readable = true;
    auto scanned =
        store_.scan(staged_key(next), end,
                    [&](std::string_view key, std::string_view bytes) {
                      auto x = decode_staged(bytes);
                      readable = readable && x && key == staged_key(next);
                      if (!readable)
                        return false;
                      append(batch, x->key, x->value);
                      batch.erase(key);
                      ++next;
                      return batch.bytes() < batch_bytes_;
                    });
    if (!scanned)
      return scanned;
    if (!readable || batch.empty())
      return fail(ec::damaged, "staged records of the restore are damaged");
    if (auto done = write(batch); !done)
      return done;
  }
  staged_ = 0;
  return {};
}

result<void> restore_writer::discard(std::set<std::string>& torn) {
  held_.for_each([&](std::string_view key, std::optional<std::string_view>) {
    torn.emplace(key);
  });
  held_.clear();
  held_count_ = 0;
  if (wrote_in_place_)
    return erase_state(torn);
  return staged_ > 0 ? erase_staged(&torn) : result<void>{};
}

// -- erasing

result<void> restore_writer::erase_staged(std::set<std::string>* torn) {
  for (bool more = true; more;) {
    more = false;
    change_batch batch;
    auto scanned =
        store_.scan(staged_key(0), staged_key(~std::uint64_t{0}),
                    [&](std::string_view key, std::string_view bytes) {
                      auto x = decode_staged(bytes);
                      if (torn != nullptr && x)
                        torn->emplace(x->key);
                      batch.erase(key);
                      more = batch.bytes() >= batch_bytes_;
                      return !more;
                    });
    if (!scanned)
      return scanned;
    if (!batch.empty())
      if (auto done = write(batch); !done)
        return done;
  }
  leftovers_ = false;
  staged_ = 0;
  return {};
}

result<void> restore_writer::erase_state(std::set<std::string>& torn) {
  for (bool more = true; more;) {
    more = false;
    change_batch batch;
    auto scanned = store_.scan(state_begin(), state_end(),
                               [&](std::string_view key, std::string_view) {
                                 torn.emplace(key);
                                 batch.erase(key);
                                 more = batch.bytes() >= batch_bytes_;
                                 return !more;
                               });
    if (!scanned)
      return scanned;
    if (!batch.empty())
      if (auto done = write(batch); !done)
        return done;
  }
  wrote_in_place_ = false;
  return {};
}

// -- writing

result<void> restore_writer::flush() {
  if (!commit_)
    return {};
  append(ready_, commit_metadata(*commit_, position_));
  auto batch = std::exchange(ready_, {});
  commit_.reset();
  return write(batch);
}

result<void> restore_writer::write(change_batch& x) {
  if (!marked_)
    x.put(metadata_key::restoring, encode_restoring(started_ms_));
  marked_ = true;
  return store_.write(x, false);
}

result<void> restore_writer::finish() {
  WEIR_ASSERT(held_count_ == 0, "held records are completed or discarded");
  if (leftovers_)
    if (auto done = erase_staged(nullptr); !done)
      return done;
  if (commit_)
    append(ready_, commit_metadata(*commit_, position_));
  commit_.reset();
  if (marked_)
    ready_.erase(metadata_key::restoring);
  marked_ = false;
  auto batch = std::exchange(ready_, {});
  return batch.empty() ? result<void>{} : store_.write(batch, false);
}

} // namespace weir
