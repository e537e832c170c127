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
  for (auto& each : parts_) {
    auto& names = each.role == role::input    ? inputs_
                  : each.role == role::output ? outputs_
                                              : stores_;
    names.emplace_back(each.name);
  }
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

const std::string& job::topic(const std::string& declared) const {
  auto i = bound_.find(declared);
  return i == bound_.end() ? declared : i->second;
}

result<void> job::check() const {
  if (!is_legal(name_, 100, false))
    return fail(ec::bad_argument, "job name '" + name_ +
                                      "': use 1 to 100 of A-Z a-z 0-9 _ - "
                                      "(no dot)");
  if (inputs_.empty())
    return fail(ec::bad_argument, "job '" + name_ + "' has no input");
  std::set<std::string> topics{changelog(), dead_letter()};
  for (auto* list : {&inputs_, &outputs_})
    for (auto& declared : *list) {
      auto& actual = topic(declared);
      if (!is_legal(actual, 249, true))
        return fail(ec::bad_argument,
                    "topic name '" + actual +
                        "': use 1 to 249 of A-Z a-z 0-9 . _ -");
      if (!topics.insert(actual).second)
        return fail(ec::bad_argument,
                    "job '" + name_ + "' uses topic '" + actual + "' twice");
    }
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
