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
  explicit wiring(const job& of) : job_(of), used_(of.parts().size()) {}

  /// What is wrong with it; nothing: the job lists it so.
  std::optional<std::string> open(const part& what);
  /// What is wrong once the constructor is over, one text for each: parts that
  /// the job lists and nobody opened.
  std::vector<std::string> missing() const;

private:
  const job& job_;
  std::vector<bool> used_;
};

} // namespace weir
