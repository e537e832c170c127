#include "weir/job.hpp"

#include <algorithm>
#include <set>

namespace weir {

namespace {

bool is_legal(const std::string& name, std::size_t longest, bool dot) {
  return !name.empty() && name.size() <= longest && name != "." &&
         name != ".." &&
         std::all_of(name.begin(), name.end(), [dot](unsigned char c) {
           return std::isalnum(c) || c == '_' || c == '-' || (dot && c == '.');
         });
}

} // namespace

job::job(std::string name, std::vector<part> parts)
    : name_(std::move(name)), parts_(std::move(parts)) {
  for (auto& each : parts_)
    names_of(each.role).emplace_back(each.name);
  sources_ = inputs_;
  targets_ = outputs_;
  for (auto* list : {&sources_, &targets_})
    list->insert(list->end(), internals_.begin(), internals_.end());
}

std::vector<std::string>& job::names_of(role what) {
  switch (what) {
  case role::input:
    return inputs_;
  case role::output:
    return outputs_;
  case role::internal:
    return internals_;
  case role::store:
    break;
  }
  return stores_;
}

job& job::rename(std::string name) {
  name_ = std::move(name);
  return *this;
}

job& job::bind_topic(std::string_view declared, std::string actual) {
  bound_[std::string{declared}] = std::move(actual);
  return *this;
}

const part* job::find(role what, std::string_view name) const noexcept {
  auto found = std::find_if(parts_.begin(), parts_.end(), [&](auto& each) {
    return each.role == what && each.name == name;
  });
  return found != parts_.end() ? &*found : nullptr;
}

std::string job::topic(const std::string& declared) const {
  if (find(role::internal, declared) != nullptr)
    return name_ + '-' + declared;
  auto i = bound_.find(declared);
  return i == bound_.end() ? declared : i->second;
}

/// Of an internal topic: all of them are read by the job, and none of them
/// makes a circle that is not declared one.
result<void> job::check_sources(const part& of) const {
  auto self = std::string{of.name};
  for (auto name : of.sources.names()) {
    auto* internal = find(role::internal, name);
    if (internal == nullptr && find(role::input, name) == nullptr)
      return fail(ec::bad_argument,
                  "internal topic '" + self + "' is fed from '" +
                      std::string{name} + "', which job '" + name_ +
                      "' does not read: list it as an input or internal topic");
    if (internal != nullptr && !of.loop && feeds(of, *internal))
      return fail(ec::bad_argument,
                  "internal topic '" + self + "' feeds itself through '" +
                      std::string{name} + "': declare it {.loop = true}");
  }
  return {};
}

/// Whether records of `from` may come to `to` through internal topics.
bool job::feeds(const part& from, const part& to) const {
  std::set<std::string_view> seen;
  std::vector<const part*> todo{&to};
  while (!todo.empty()) {
    auto* next = todo.back();
    todo.pop_back();
    if (next->name == from.name)
      return true;
    if (!seen.insert(next->name).second)
      continue;
    for (auto name : next->sources.names())
      if (auto* internal = find(role::internal, name))
        todo.push_back(internal);
  }
  return false;
}

result<void> job::check() const {
  if (!is_legal(name_, 100, false))
    return fail(ec::bad_argument, "job name '" + name_ +
                                      "': use 1 to 100 of A-Z a-z 0-9 _ - "
                                      "(no dot)");
  if (inputs_.empty())
    return fail(ec::bad_argument, "job '" + name_ + "' has no input");
  std::set<std::string> topics{changelog(), dead_letter()};
  for (auto* list : {&inputs_, &targets_})
    for (auto& declared : *list) {
      auto actual = topic(declared);
      if (!is_legal(actual, 249, true))
        return fail(ec::bad_argument,
                    "topic name '" + actual +
                        "': use 1 to 249 of A-Z a-z 0-9 . _ -");
      if (!topics.insert(actual).second)
        return fail(ec::bad_argument,
                    "job '" + name_ + "' uses topic '" + actual + "' twice");
    }
  for (auto& each : parts_)
    if (auto fed = check_sources(each); !fed)
      return fed;
  std::set<std::string> names;
  for (auto& store : stores_) {
    if (!is_legal(store, 100, false))
      return fail(ec::bad_argument, "store name '" + store +
                                        "': use 1 to 100 of A-Z a-z 0-9 _ -");
    if (!names.insert(store).second)
      return fail(ec::bad_argument,
                  "job '" + name_ + "' has store '" + store + "' twice");
  }
  if (stores_.size() > 200)
    return fail(ec::bad_argument, "a job has at most 200 stores");
  return {};
}

} // namespace weir
