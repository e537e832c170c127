#include "actors/send/send_queue.hpp"

namespace weir {

void send_queue::push(const queued_record& x) {
  auto at = bytes_.size();
  auto first_header = header_sizes_.size();
  if (x.key)
    bytes_.append(*x.key);
  if (x.value)
    bytes_.append(*x.value);
  for (auto& h : x.headers) {
    header_sizes_.push_back({static_cast<std::uint32_t>(h.name.size()),
                             static_cast<std::uint32_t>(h.value.size())});
    bytes_.append(h.name);
    bytes_.append(h.value);
  }
  // Last, so that no entry lacks its bytes where memory ran out. Filled where it
  // stays: what was just written in parts and is copied as a whole makes the
  // processor wait for the writes.
  auto& e = entries_.emplace_back();
  e.at = at;
  e.to = x.to;
  e.partition = x.partition;
  e.timestamp = x.timestamp;
  e.listener = x.listener;
  e.first_header = static_cast<std::uint32_t>(first_header);
  e.headers = static_cast<std::uint32_t>(x.headers.size());
  e.has_key = x.key.has_value();
  e.has_value = x.value.has_value();
  e.key_size = x.key ? static_cast<std::uint32_t>(x.key->size()) : 0;
  e.value_size = x.value ? static_cast<std::uint32_t>(x.value->size()) : 0;
}

queued_record send_queue::front() {
  auto& e = entries_[head_];
  std::string_view all{bytes_};
  queued_record out;
  out.to = e.to;
  out.partition = e.partition;
  out.timestamp = e.timestamp;
  out.listener = e.listener;
  if (e.has_key)
    out.key.emplace(all.data() + e.at, e.key_size);
  if (e.has_value)
    out.value.emplace(all.data() + e.at + e.key_size, e.value_size);
  header_views_.clear();
  auto at = e.at + e.key_size + e.value_size;
  for (std::uint32_t i = 0; i < e.headers; ++i) {
    auto& sizes = header_sizes_[e.first_header + i];
    header_views_.push_back(
        {all.substr(at, sizes.name), all.substr(at + sizes.name, sizes.value)});
    at += sizes.name + sizes.value;
  }
  out.headers = header_views_;
  return out;
}

void send_queue::pop() noexcept {
  ++head_;
  if (empty())
    clear();
}

void send_queue::clear() noexcept {
  bytes_.clear();
  entries_.clear();
  header_sizes_.clear();
  head_ = 0;
}

} // namespace weir
