#include "stores/kv/store_core.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "stores/kv/store_error.hpp"

namespace weir::detail {

store_core::store_core(store_context& context, int number, std::string name,
                       const store_spec& spec)
    : context_(context), number_(number), name_(std::move(name)), spec_(spec),
      ops_(*spec.ops), layout_(*spec.ops) {}

store_core::~store_core() {
  std::vector<entry*> all;
  table_.for_each([&](entry& x) { all.push_back(&x); });
  for (auto* x : all)
    forget(*x);
}

// -- entries

void store_core::insert(entry* x) {
  try {
    table_.insert(*x);
  } catch (...) {
    layout_.free(x);
    throw;
  }
  last_ = x;
}

void store_core::forget(entry& x) {
  if (last_ == &x)
    last_ = nullptr;
  table_.erase(x);
  layout_.free(&x);
}

/// A value whose size is not known counts as the usual size of its encoding.
std::size_t store_core::charge_of(const entry& x) const noexcept {
  // Table slot, list element and what malloc keeps for itself.
  constexpr std::size_t overhead = 48;
  auto charge = layout_.size() + x.key_size + overhead;
  if (x.present && !ops_.trivial)
    charge +=
        ops_.heap != nullptr ? ops_.heap(layout_.value(x)) : typical_size_;
  return charge;
}

void store_core::set_charge(entry& x, std::size_t charge) noexcept {
  if (x.in_overlay())
    context_.overlay_bytes += charge - x.charge;
  x.charge = charge;
}

// -- looking up and loading

entry* store_core::lookup(std::string_view key, std::uint64_t hash) {
  return last_ = table_.find(
             hash, [&](const entry& x) { return layout_.key(x) == key; });
}

/// Only a second use counts as use: keys read once do not push out others.
entry& store_core::obtain(std::string_view key) {
  auto* x = last_;
  if (x == nullptr || layout_.key(*x) != key) {
    auto hash = hash_bytes(key);
    x = lookup(key, hash);
    if (x == nullptr)
      return load(key, hash);
  }
  x->referenced = true;
  return *x;
}

entry& store_core::load(std::string_view key, std::uint64_t hash) {
  auto* x = layout_.make(this, number_, key, hash);
  try {
    read_into(*x);
  } catch (...) {
    layout_.free(x);
    throw;
  }
  insert(x);
  x->charge = charge_of(*x);
  // Before the link, so that what find returns cannot be what is evicted.
  context_.make_room(x->charge);
  context_.link(*x);
  return *x;
}

void store_core::read_into(entry& x) {
  auto key = layout_.raw_key(x);
  if (read(key, value_scratch_)) {
    x.committed_hash = entry_hash(key, value_scratch_);
    layout_.construct(x);
    decode(key, value_scratch_, layout_.value(x));
    note_size(value_scratch_.size());
  }
  x.known = true;
}

const void* store_core::find(std::string_view key) {
  auto& x = obtain(key);
  return x.present ? layout_.value(x) : nullptr;
}

bool store_core::read(std::string_view raw_key, std::string& value) const {
  auto found = context_.database.get(raw_key, value);
  if (!found)
    throw store_error{found.error().within("store '" + name_ + "'")};
  return *found;
}

void store_core::decode(std::string_view raw_key, std::string_view bytes,
                        void* to) const {
  if (!ops_.decode(bytes, to))
    throw_undecodable("value", raw_key);
}

void store_core::check_open() const {
  if (context_.closed != nullptr) [[unlikely]]
    throw store_error{ec::closed, "store '" + name_ + "': " + context_.closed};
}

void store_core::throw_undecodable(std::string_view part,
                                   std::string_view raw_key) const {
  auto* bytes = reinterpret_cast<const unsigned char*>(raw_key.data());
  throw store_error{
      ec::corruption,
      fmt::format("store '{}' (number {}): its serde cannot decode the {} of "
                  "the entry with raw key {:02x}; was the store written with "
                  "another type, or another number?",
                  name_, number_, part,
                  fmt::join(bytes, bytes + raw_key.size(), ""))};
}

// -- changing

/// The entry of a key that is overwritten: what there is need not be known.
entry& store_core::target(std::string_view key) {
  if (last_ != nullptr && layout_.key(*last_) == key)
    return *last_;
  auto hash = hash_bytes(key);
  if (auto* x = lookup(key, hash)) {
    x->referenced = true;
    return *x;
  }
  auto* x = layout_.make(this, number_, key, hash);
  insert(x);
  return *x;
}

/// `what` says what becomes of the old value.
void store_core::prepare_change(entry& x, old_value what) {
  remember(x, what);
  if (!x.dirty)
    mark_dirty(x);
}

void store_core::remember(entry& x, old_value what) {
  if (scans_ != nullptr) [[unlikely]]
    tell_scans(x);
  if (!context_.recording || x.undo_mark == context_.record)
    return;
  if (undo_.empty())
    context_.touched.push_back(this);
  undo_.note(x, layout_, what);
  x.undo_mark = context_.record;
}

void* store_core::change(std::string_view key) {
  check_open();
  // It must be known what there is. The key may lie in a value that this
  // evicts: it is not looked at again.
  auto& x = obtain(key);
  prepare_change(x, old_value::stays);
  if (!x.present) {
    layout_.construct(x);
    set_charge(x, charge_of(x));
  }
  return layout_.value(x);
}

void store_core::put(std::string_view key, void* value) {
  check_open();
  auto& x = target(key);
  prepare_change(x, old_value::moves);
  layout_.set(x, value);
  set_charge(x, charge_of(x));
}

void store_core::erase(std::string_view key) {
  check_open();
  auto& x = target(key);
  prepare_change(x, old_value::moves);
  layout_.clear(x);
  set_charge(x, charge_of(x));
}

void store_core::undo() {
  WEIR_ASSERT(!scanning(), "a scan's callback may not undo");
  auto items = undo_.items();
  for (auto item = items.rbegin(); item != items.rend(); ++item) {
    auto& x = *item->target;
    if (item->old.has_value())
      layout_.set(x, item->old.get());
    else
      layout_.clear(x);
    set_charge(x, charge_of(x));
    if (!item->was_dirty)
      unmark_dirty(x); // may delete it
  }
  undo_.clear();
}

void store_core::accept() {
  // What was changed in place may have grown.
  if (!ops_.trivial)
    for (auto& item : undo_.items())
      set_charge(*item.target, charge_of(*item.target));
  undo_.clear();
}

void store_core::visit_record(const seal_sink& visit) const {
  std::string value;
  for (auto& item : undo_.items()) {
    auto& x = *item.target;
    std::optional<std::string_view> present;
    if (x.present) {
      value.clear();
      ops_.encode(layout_.value(x), value);
      present = value;
    }
    visit(layout_.raw_key(x), present);
  }
}

bool store_core::committed(std::string_view key, void* value) {
  auto* x = lookup(key, hash_bytes(key));
  if (x != nullptr && !x->in_overlay()) {
    if (x->present)
      ops_.assign(value, layout_.value(*x));
    return x->present;
  }
  auto raw = raw_key(key);
  std::string bytes;
  if (!read(raw, bytes))
    return false;
  decode(raw, bytes, value);
  return true;
}

// -- from clean to dirty and back

void store_core::mark_dirty(entry& x) {
  if (!x.frozen) {
    if (x.next != nullptr)
      context_.unlink(x);
    context_.overlay_bytes += x.charge;
    if (ordered_)
      overlay_order_.emplace(layout_.raw_key(x), &x);
  }
  x.dirty = true;
  dirty_.push_back(&x);
}

void store_core::unmark_dirty(entry& x) {
  WEIR_ASSERT(!dirty_.empty() && dirty_.back() == &x,
              "undo takes back the newest change first");
  dirty_.pop_back();
  x.dirty = false;
  if (x.frozen)
    return;
  if (ordered_)
    overlay_order_.erase(layout_.raw_key(x));
  leave_overlay(x);
}

// An entry whose committed value nobody has read tells nothing once its own
// change is gone: it may not stay as a known absence.
void store_core::leave_overlay(entry& x) {
  context_.overlay_bytes -= x.charge;
  if (x.known)
    context_.link(x);
  else
    forget(x);
}

void store_core::keep_order() {
  if (ordered_)
    return;
  ordered_ = true;
  for (auto* list : {&dirty_, &frozen_})
    for (auto* x : *list)
      overlay_order_.emplace(layout_.raw_key(*x), x);
}

// -- seal, apply, drop

result<void> store_core::seal(seal_work& work) {
  WEIR_ASSERT(frozen_.empty(), "at most one frozen overlay");
  WEIR_ASSERT(!scanning(), "a scan's callback may not seal");
  frozen_.reserve(dirty_.size());
  for (auto* x : dirty_)
    if (auto done = seal_entry(*x, work); !done)
      return done;
  dirty_.clear();
  return {};
}

result<void> store_core::seal_entry(entry& x, seal_work& work) {
  auto key = layout_.raw_key(x);
  if (!x.known) {
    auto found = context_.database.get(key, value_scratch_);
    if (!found)
      return fail(found.error().within("store '" + name_ + "'"));
    x.committed_hash = *found ? entry_hash(key, value_scratch_) : 0;
    x.known = true;
  }
  std::optional<std::string_view> value;
  if (x.present) {
    value_scratch_.clear();
    ops_.encode(layout_.value(x), value_scratch_);
    note_size(value_scratch_.size());
    value = value_scratch_;
  }
  x.dirty = false;
  if (!value && x.committed_hash == 0) {
    // Came and went between two commits: nobody needs to hear of it.
    overlay_order_.erase(key);
    leave_overlay(x);
    return {};
  }
  auto hash = value ? entry_hash(key, *value) : 0;
  work.digest += hash - x.committed_hash;
  x.committed_hash = hash;
  x.frozen = true;
  frozen_.push_back(&x);
  if (!ops_.trivial)
    set_charge(x, charge_of(x));
  if (value)
    work.changes.put(key, *value);
  else
    work.changes.erase(key);
  work.checksum.add(key, value);
  if (work.sink)
    work.sink(key, value);
  return {};
}

void store_core::applied() {
  WEIR_ASSERT(!scanning(), "a scan's callback may not apply");
  // Its keys lie in entries that may be forgotten.
  auto again = std::exchange(ordered_, false);
  overlay_order_.clear();
  for (auto* x : frozen_) {
    x->frozen = false;
    if (!x->dirty)
      leave_overlay(*x);
  }
  frozen_.clear();
  if (again)
    keep_order();
}

void store_core::drop() {
  WEIR_ASSERT(!scanning(), "a scan's callback may not drop");
  overlay_order_.clear();
  ordered_ = false;
  dirty_.clear();
  frozen_.clear();
  std::vector<entry*> all;
  table_.for_each([&](entry& x) { all.push_back(&x); });
  for (auto* x : all) {
    if (x->in_overlay())
      context_.overlay_bytes -= x->charge;
    else
      context_.unlink(*x);
    forget(*x);
  }
}

void store_core::release_spare() {
  table_.shrink();
  dirty_.shrink_to_fit();
  frozen_.shrink_to_fit();
  undo_.release();
}

} // namespace weir::detail
