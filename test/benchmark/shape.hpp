// The work of a benchmark shape, the same for weir's job and the plain loop.
#pragma once

#include <time.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

/// Read from the environment by both programs, so that they cannot differ.
struct shape {
  /// WEIR_SHAPE_INPUTS: topics, by comma.
  std::vector<std::string> inputs{"ticks"};
  /// WEIR_SHAPE_OUTPUT: topic that gets a copy of each record; empty = none.
  std::string output;
  /// WEIR_SHAPE_WORK_US: processor time of each record.
  std::int64_t work_us = 0;
  /// WEIR_SHAPE_SLOW_PARTITION and _SLOW_US: one that needs more; -1 = none.
  std::int32_t slow_partition = -1;
  std::int64_t slow_us = 0;

  std::int64_t work_of(std::int32_t partition) const noexcept {
    return partition == slow_partition ? slow_us : work_us;
  }
};

inline std::string shape_variable(const char* name, const char* otherwise) {
  auto* found = std::getenv(name);
  return found != nullptr ? found : otherwise;
}

inline shape shape_from_environment() {
  shape out;
  out.inputs.clear();
  auto topics = shape_variable("WEIR_SHAPE_INPUTS", "ticks");
  for (std::size_t at = 0; at <= topics.size();) {
    auto end = std::min(topics.find(',', at), topics.size());
    out.inputs.push_back(topics.substr(at, end - at));
    at = end + 1;
  }
  out.output = shape_variable("WEIR_SHAPE_OUTPUT", "");
  out.work_us = std::stoll(shape_variable("WEIR_SHAPE_WORK_US", "0"));
  out.slow_partition =
      std::stoi(shape_variable("WEIR_SHAPE_SLOW_PARTITION", "-1"));
  out.slow_us = std::stoll(shape_variable("WEIR_SHAPE_SLOW_US", "0"));
  return out;
}

/// Uses up so much processor time of this thread: what the kernel takes away
/// meanwhile is no work.
inline void use_processor(std::int64_t us) noexcept {
  if (us <= 0)
    return;
  auto now = [] {
    timespec x{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &x);
    return std::int64_t{x.tv_sec} * 1'000'000'000 + x.tv_nsec;
  };
  for (auto end = now() + us * 1'000; now() < end;) {
  }
}

/// The state of a key: how often it came, then its last value.
inline void count_and_keep(std::string& state, std::string_view value) {
  std::uint64_t count = 0;
  if (state.size() >= sizeof count)
    std::memcpy(&count, state.data(), sizeof count);
  ++count;
  state.assign(reinterpret_cast<const char*>(&count), sizeof count);
  state += value;
}

} // namespace weir::bench
