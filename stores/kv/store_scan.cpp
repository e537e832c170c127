// Scans of a store: its overlay and its database as one, in the order of keys.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "stores/changelog/raw_key.hpp"
#include "stores/kv/store_core.hpp"
#include "stores/kv/store_error.hpp"

namespace weir::detail {

namespace {

struct running_mark {
  explicit running_mark(int& count) noexcept : count(count) { ++count; }
  running_mark(const running_mark&) = delete;
  running_mark& operator=(const running_mark&) = delete;
  ~running_mark() { --count; }
  int& count;
};

} // namespace

/// Keeps the view of one scan as it was at the call: what its function changes
/// is remembered here as it was before.
class store_core::scan_frame {
public:
  struct old_state {
    bool in_overlay;
    boxed_value value;
  };

  explicit scan_frame(store_core& store) noexcept
      : store_(store), outer_(store.scans_) {
    store.scans_ = this;
  }
  scan_frame(const scan_frame&) = delete;
  scan_frame& operator=(const scan_frame&) = delete;
  ~scan_frame() { store_.scans_ = outer_; }

  scan_frame* outer() const noexcept { return outer_; }

  void before_change(const entry& x) {
    if (saved_.contains(&x))
      return;
    old_state old{x.in_overlay(), store_.layout_.box()};
    if (x.in_overlay() && x.present)
      old.value.copy_from(store_.layout_.value(x));
    saved_.emplace(&x, std::move(old));
  }

  bool hides(const entry& x) const {
    auto at = saved_.find(&x);
    return at != saved_.end() && !at->second.in_overlay;
  }
  /// As it was in the overlay at the call; null = not there, or erased.
  const void* value_of(const entry& x) const {
    if (auto at = saved_.find(&x); at != saved_.end())
      return at->second.value.get();
    return x.present ? store_.layout_.value(x) : nullptr;
  }

private:
  store_core& store_;
  scan_frame* outer_;
  std::unordered_map<const entry*, old_state> saved_;
};

void store_core::tell_scans(const entry& x) {
  for (auto* scan = scans_; scan != nullptr; scan = scan->outer())
    scan->before_change(x);
}

std::string store_core::raw_key(std::string_view key) const {
  return first_raw_key().append(key);
}

void store_core::scan(const std::string& from, const std::string& to,
                      void* context, visitor visit) {
  if (from >= to)
    return;
  keep_order();
  scan_frame view{*this};
  // The function gets a copy: it may change the very entry it looks at. New
  // entries of the overlay do not disturb `next`, and `view` hides them.
  auto copy = layout_.box();
  auto next = overlay_order_.lower_bound(from);
  auto tell = [&](const entry& x) {
    auto* current = view.value_of(x);
    if (current == nullptr)
      return true;
    copy.copy_from(current);
    return visit(context, layout_.key(x), copy.get());
  };
  auto tell_before = [&](std::string_view bound) {
    while (next != overlay_order_.end() && next->first < bound) {
      auto& x = *next->second;
      ++next;
      if (!tell(x))
        return false;
    }
    return true;
  };
  bool more = true;
  scan_database(from, to, [&](std::string_view raw, std::string_view bytes) {
    if (!(more = tell_before(raw)))
      return false;
    if (next != overlay_order_.end() && next->first == raw) {
      auto& x = *next->second;
      if (!view.hides(x)) {
        ++next;
        return more = tell(x);
      }
    }
    copy.construct();
    decode(raw, bytes, copy.get());
    return more = visit(context, raw.substr(1), copy.get());
  });
  if (more)
    tell_before(to);
}

void store_core::visit_changed(void* context, visitor visit) const {
  for (auto* x : dirty_)
    if (!visit(context, layout_.key(*x),
               x->present ? layout_.value(*x) : nullptr))
      return;
}

void store_core::scan_committed(void* context, visitor visit) {
  auto value = layout_.box();
  scan_database(first_raw_key(), end_raw_key(),
                [&](std::string_view raw, std::string_view bytes) {
                  value.construct();
                  decode(raw, bytes, value.get());
                  return visit(context, raw.substr(1), value.get());
                });
}

// In pieces, so that no iterator of the database is open while user code runs:
// it may read, scan again, take its time, or throw. Small at first, for scans
// that end soon.
void store_core::scan_database(
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

// -- what the typed handle calls

const void* find(store_core& s, std::string_view key) { return s.find(key); }
void* change(store_core& s, std::string_view key) { return s.change(key); }
void put(store_core& s, std::string_view key, void* value) {
  s.put(key, value);
}
void erase(store_core& s, std::string_view key) { s.erase(key); }

void scan(store_core& s, std::string_view from,
          std::optional<std::string_view> to, void* context, visitor visit) {
  s.scan(s.raw_key(from), to ? s.raw_key(*to) : s.end_raw_key(), context,
         visit);
}
void scan_prefix(store_core& s, std::string_view prefix, void* context,
                 visitor visit) {
  auto from = s.raw_key(prefix);
  s.scan(from, after_prefix(from), context, visit);
}
void scan_committed(store_core& s, void* context, visitor visit) {
  s.scan_committed(context, visit);
}
bool committed(store_core& s, std::string_view key, void* value) {
  return s.committed(key, value);
}
void visit_changed(const store_core& s, void* context, visitor visit) {
  s.visit_changed(context, visit);
}
void throw_undecodable_key(const store_core& s, std::string_view key) {
  s.throw_undecodable("key", s.raw_key(key));
}

} // namespace weir::detail
