#include "stores/kv/store_base.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "stores/changelog/raw_key.hpp"
#include "stores/kv/store_error.hpp"

namespace weir {

namespace {

struct running_mark {
  explicit running_mark(int& count) noexcept : count(count) { ++count; }
  running_mark(const running_mark&) = delete;
  running_mark& operator=(const running_mark&) = delete;
  ~running_mark() { --count; }
  int& count;
};

} // namespace

store_base::store_base(store_context& context, int number, std::string name)
    : context_(context), number_(number), name_(std::move(name)) {}

void store_base::raw_key_of(const entry_base& x, std::string& out) const {
  out.assign(1, static_cast<char>(number_));
  encode_key(x, out);
}

bool store_base::read(std::string_view raw_key, std::string& value) const {
  auto found = context_.database.get(raw_key, value);
  if (!found)
    throw store_error{found.error().within("store '" + name_ + "'")};
  return *found;
}

void store_base::throw_closed() const {
  throw store_error{ec::closed,
                    "store '" + name_ +
                        "': the task's last commit is over, what is written "
                        "now would be lost"};
}

void store_base::throw_undecodable(std::string_view part,
                                   std::string_view raw_key) const {
  throw store_error{
      ec::corruption,
      fmt::format(
          "store '{}' (number {}): its serde cannot decode the {} of the "
          "entry with raw key {:02x}; was the store written with another "
          "type, or another number?",
          name_, number_, part,
          fmt::join(reinterpret_cast<const unsigned char*>(raw_key.data()),
                    reinterpret_cast<const unsigned char*>(raw_key.data()) +
                        raw_key.size(),
                    ""))};
}

// In pieces, so that no iterator of the database is open while user code runs:
// it may read, scan again, take its time, or throw. Small at first, for scans
// that end soon.
void store_base::scan_database(
    const std::string& from, const std::string& to,
    const std::function<bool(std::string_view, std::string_view)>& visit) {
  constexpr std::size_t first_entries = 16, most_entries = 1024;
  constexpr std::size_t most_bytes = 256u << 10;
  running_mark mark{running_scans_};
  change_batch piece;
  auto next = from;
  for (auto limit = first_entries;; limit = std::min(limit * 4, most_entries)) {
    piece.clear();
    bool more = false;
    auto collect = [&](std::string_view key, std::string_view value) {
      more = piece.size() == limit || piece.bytes() >= most_bytes;
      if (more)
        next.assign(key);
      else
        piece.put(key, value);
      return !more;
    };
    if (auto done = context_.database.scan(next, to, collect); !done)
      throw store_error{done.error().within("store '" + name_ + "'")};
    for (std::size_t i = 0; i < piece.size(); ++i) {
      auto [key, value] = piece.at(i);
      if (!visit(key, *value))
        return;
    }
    if (!more)
      return;
  }
}

// -- from clean to dirty and back

void store_base::mark_dirty(entry_base& x) {
  if (!x.frozen) {
    if (x.next != nullptr)
      context_.unlink(x);
    context_.overlay_bytes += x.charge;
    if (ordered_) {
      raw_key_of(x, key_scratch_);
      overlay_order_.emplace(key_scratch_, &x);
    }
  }
  x.dirty = true;
  dirty_.push_back(&x);
}

void store_base::unmark_dirty(entry_base& x) {
  WEIR_ASSERT(!dirty_.empty() && dirty_.back() == &x,
              "undo takes back the newest change first");
  dirty_.pop_back();
  x.dirty = false;
  if (x.frozen)
    return;
  if (ordered_) {
    raw_key_of(x, key_scratch_);
    overlay_order_.erase(key_scratch_);
  }
  leave_overlay(x);
}

// An entry whose committed value nobody has read tells nothing once its own
// change is gone: it may not stay as a known absence.
void store_base::leave_overlay(entry_base& x) {
  context_.overlay_bytes -= x.charge;
  if (x.known)
    context_.link(x);
  else
    forget(x);
}

void store_base::set_charge(entry_base& x, std::size_t charge) noexcept {
  if (x.in_overlay())
    context_.overlay_bytes += charge - x.charge;
  x.charge = charge;
}

void store_base::keep_order() {
  if (ordered_)
    return;
  ordered_ = true;
  for (auto* list : {&dirty_, &frozen_})
    for (auto* x : *list) {
      raw_key_of(*x, key_scratch_);
      overlay_order_.emplace(key_scratch_, x);
    }
}

// -- seal, apply, drop

result<void> store_base::seal(seal_work& work) {
  WEIR_ASSERT(frozen_.empty(), "at most one frozen overlay");
  WEIR_ASSERT(!scanning(), "a scan's callback may not seal");
  frozen_.reserve(dirty_.size());
  for (auto* x : dirty_)
    if (auto done = seal_entry(*x, work); !done)
      return done;
  dirty_.clear();
  return {};
}

result<void> store_base::seal_entry(entry_base& x, seal_work& work) {
  raw_key_of(x, key_scratch_);
  if (!x.known) {
    auto found = context_.database.get(key_scratch_, value_scratch_);
    if (!found)
      return fail(found.error().within("store '" + name_ + "'"));
    x.committed_hash = *found ? entry_hash(key_scratch_, value_scratch_) : 0;
    x.known = true;
  }
  value_scratch_.clear();
  bool present = encode_value(x, value_scratch_);
  x.dirty = false;
  if (!present && x.committed_hash == 0) {
    // Came and went between two commits: nobody needs to hear of it.
    overlay_order_.erase(key_scratch_);
    leave_overlay(x);
    return {};
  }
  auto hash = present ? entry_hash(key_scratch_, value_scratch_) : 0;
  work.digest += hash - x.committed_hash;
  x.committed_hash = hash;
  x.frozen = true;
  frozen_.push_back(&x);
  std::optional<std::string_view> value;
  if (present) {
    value = value_scratch_;
    work.changes.put(key_scratch_, value_scratch_);
  } else {
    work.changes.erase(key_scratch_);
  }
  work.checksum.add(key_scratch_, value);
  if (work.sink)
    work.sink(key_scratch_, value);
  return {};
}

void store_base::applied() {
  WEIR_ASSERT(!scanning(), "a scan's callback may not apply");
  for (auto* x : frozen_) {
    x->frozen = false;
    if (!x->dirty)
      leave_overlay(*x);
  }
  frozen_.clear();
  if (!std::exchange(ordered_, false))
    return;
  overlay_order_.clear();
  keep_order();
}

void store_base::drop() {
  WEIR_ASSERT(!scanning(), "a scan's callback may not drop");
  overlay_order_.clear();
  ordered_ = false;
  dirty_.clear();
  frozen_.clear();
  std::vector<entry_base*> all;
  table_.for_each([&](entry_base& x) { all.push_back(&x); });
  for (auto* x : all) {
    if (x->in_overlay())
      context_.overlay_bytes -= x->charge;
    else
      context_.unlink(*x);
    forget(*x);
  }
}

// -- the cache

void store_context::make_room(std::size_t charge) {
  while (clean_bytes_ + charge > cache_bound_ && ring_.next != &ring_) {
    auto& oldest = *ring_.next;
    unlink(oldest);
    if (std::exchange(oldest.referenced, false))
      link(oldest);
    else
      oldest.owner->forget(oldest);
  }
}

void store_context::evict_all() {
  while (ring_.next != &ring_) {
    auto& oldest = *ring_.next;
    unlink(oldest);
    oldest.owner->forget(oldest);
  }
}

} // namespace weir
