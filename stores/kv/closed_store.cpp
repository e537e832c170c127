#include "stores/kv/closed_store.hpp"

#include <string>

namespace weir::detail {

namespace {

constexpr const char* in_constructor =
    "a task's constructor uses it: on_assigned is the place";

failure refuse() {
  return fail(ec::bad_argument, in_constructor);
}

} // namespace

result<bool> closed_stores::nothing::get(std::string_view, std::string&) {
  return refuse();
}
result<void> closed_stores::nothing::write(const change_batch&, bool) {
  return refuse();
}
result<void> closed_stores::nothing::scan(
    std::string_view, std::string_view,
    const std::function<bool(std::string_view, std::string_view)>&) {
  return refuse();
}

closed_stores::closed_stores() : context_(database_, 0) {
  context_.closed = in_constructor;
}

store_core& closed_stores::open(std::string_view name, const store_spec& spec) {
  constexpr int any_number = 1;
  stores_.push_back(std::make_unique<store_core>(context_, any_number,
                                                 std::string{name}, spec));
  return *stores_.back();
}

} // namespace weir::detail
