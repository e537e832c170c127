#include "test/driver/memory_backend.hpp"

namespace weir {

result<void> memory_backend::check_open() const {
  if (closed_)
    return fail(ec::closed, "the memory database is closed");
  return {};
}

result<bool> memory_backend::get(std::string_view key, std::string& value) {
  if (auto open = check_open(); !open)
    return fail(open.error());
  auto at = entries_.find(key);
  if (at == entries_.end())
    return false;
  value = at->second;
  return true;
}

result<void> memory_backend::write(const change_batch& changes, bool) {
  if (auto open = check_open(); !open)
    return open;
  changes.for_each(
      [&](std::string_view key, std::optional<std::string_view> value) {
        if (value)
          entries_.insert_or_assign(std::string{key}, std::string{*value});
        else if (auto at = entries_.find(key); at != entries_.end())
          entries_.erase(at);
      });
  return {};
}

result<void> memory_backend::scan(
    std::string_view from, std::string_view to,
    const std::function<bool(std::string_view, std::string_view)>& visit) {
  if (auto open = check_open(); !open)
    return open;
  for (auto at = entries_.lower_bound(from);
       at != entries_.end() && (to.empty() || at->first < to); ++at)
    if (!visit(at->first, at->second))
      break;
  return {};
}

} // namespace weir
