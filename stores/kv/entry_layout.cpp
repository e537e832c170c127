#include "stores/kv/entry_layout.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::detail {

namespace {

constexpr std::size_t aligned(std::size_t size, std::size_t to) noexcept {
  return (size + to - 1) / to * to;
}

} // namespace

entry_layout::entry_layout(const value_ops& ops) noexcept
    : ops_(&ops), value_at_(aligned(sizeof(entry), ops.align)),
      key_at_(value_at_ + ops.size) {}

std::align_val_t entry_layout::alignment() const noexcept {
  return std::align_val_t{std::max(alignof(entry), ops_->align)};
}

entry* entry_layout::make(store_core* owner, int number, std::string_view key,
                          std::uint64_t hash) const {
  auto raw_size = key.size() + 1;
  auto* room = ::operator new(key_at_ + raw_size, alignment());
  auto* raw = static_cast<char*>(room) + key_at_;
  raw[0] = static_cast<char>(number);
  std::memcpy(raw + 1, key.data(), key.size());
  return new (room) entry{owner, hash, raw_size};
}

void entry_layout::free(entry* x) const noexcept {
  clear(*x);
  x->~entry();
  ::operator delete(x, alignment());
}

void entry_layout::set(entry& x, void* moved) const {
  clear(x);
  ops_->move(value(x), moved);
  x.present = true;
}

void entry_layout::construct(entry& x) const {
  clear(x);
  ops_->construct(value(x));
  x.present = true;
}

void entry_layout::clear(entry& x) const noexcept {
  if (std::exchange(x.present, false))
    ops_->destroy(value(x));
}

} // namespace weir::detail
