// Records of an input that are gone before they were read.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

/// [offset, until) of a task's partition of `topic`. A plain value.
struct input_gap {
  std::string topic;
  std::int64_t offset = 0;
  std::int64_t until = 0;

  bool operator==(const input_gap&) const = default;
};

} // namespace weir
