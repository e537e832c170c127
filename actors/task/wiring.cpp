#include "actors/task/wiring.hpp"

#include <cstddef>

#include <fmt/format.h>

namespace weir {

namespace {

const char* kind_of(role what) {
  switch (what) {
  case role::input:
    return "input";
  case role::output:
    return "output";
  case role::internal:
    return "internal topic";
  case role::store:
    return "store";
  }
  return "part";
}

std::string type_of(const detail::text_ops* side) {
  return side != nullptr ? side->type() : "none";
}

std::string types_of(const part& x) {
  return fmt::format("<{}, {}>", type_of(x.key), type_of(x.value));
}

} // namespace

std::optional<std::string> wiring::note(const part& what,
                                        std::vector<bool>& in) {
  auto parts = job_.parts();
  auto* listed = job_.find(what.role, what.name);
  if (listed == nullptr)
    return fmt::format("the task uses {} '{}', which job '{}' does not list: "
                       "weir::job{{\"{}\", ..., {}}}",
                       kind_of(what.role), what.name, job_.name(), job_.name(),
                       what.name);
  if (listed->key != what.key || listed->value != what.value)
    return fmt::format("the task uses {} '{}' as {}, job '{}' lists it as {}: "
                       "use the definition that the job lists",
                       kind_of(what.role), what.name, types_of(what),
                       job_.name(), types_of(*listed));
  in[static_cast<std::size_t>(listed - parts.data())] = true;
  return std::nullopt;
}

std::vector<std::string> wiring::missing() const {
  std::vector<std::string> out;
  auto parts = job_.parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto& each = parts[i];
    auto read = each.role == role::input || each.role == role::internal;
    if (read && !handled_[i])
      out.push_back(fmt::format("job '{}' lists '{}', but the task has no "
                                "handler for it: on({}, ...) in its "
                                "constructor",
                                job_.name(), each.name, each.name));
    if (each.role != role::input && !used_[i])
      out.push_back(fmt::format("job '{}' lists {} '{}', but the task does not "
                                "use it: weir::use<{}> as a member",
                                job_.name(), kind_of(each.role), each.name,
                                each.name));
  }
  return out;
}

} // namespace weir
