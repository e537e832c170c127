#include "actors/node_context.hpp"

namespace weir {

void node_knowledge::set_members(std::set<std::string> x) {
  std::lock_guard guard{mutex_};
  members_ = std::move(x);
}

std::set<std::string> node_knowledge::members() const {
  std::lock_guard guard{mutex_};
  return members_;
}

void node_knowledge::add_fenced(const std::string& id) {
  std::lock_guard guard{mutex_};
  fenced_.insert(id);
}

std::set<std::string> node_knowledge::fenced() const {
  std::lock_guard guard{mutex_};
  return fenced_;
}

void node_knowledge::add_retired(const std::string& id) {
  std::lock_guard guard{mutex_};
  retired_.insert(id);
}

std::set<std::string> node_knowledge::retired() const {
  std::lock_guard guard{mutex_};
  return retired_;
}

void node_context::discard(std::shared_ptr<void> x) const {
  if (x)
    outside.run.bury->post(
        "discard", [dropped = std::move(x)]() mutable { dropped.reset(); });
}

} // namespace weir
