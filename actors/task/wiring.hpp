// Whether the parts of a task are those of its job.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "weir/job.hpp"

namespace weir {

/// Told of each part that a task's constructor opens. A plain value; one
/// thread.
class wiring {
public:
  /// @pre `of` outlives it
  explicit wiring(const job& of)
      : job_(of), used_(of.parts().size()), handled_(of.parts().size()) {}

  /// What is wrong with it; nothing: the job lists it so.
  std::optional<std::string> open(const part& what) {
    return note(what, used_);
  }
  /// The same of one that gets a handler.
  std::optional<std::string> handle(const part& what) {
    return note(what, handled_);
  }
  /// What is wrong once the constructor is over, one text for each: parts that
  /// the job lists and nobody opened.
  std::vector<std::string> missing() const;

private:
  std::optional<std::string> note(const part& what, std::vector<bool>& in);

  const job& job_;
  /// By part: opened as a member, given a handler.
  std::vector<bool> used_;
  std::vector<bool> handled_;
};

} // namespace weir
