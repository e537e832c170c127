// What the simulated job does, and what must come of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "actors/failure/parked.hpp"
#include "runtime/job/settings.hpp"
#include "weir/job.hpp"
#include "weir/task.hpp"

namespace weir::sim {

class node_world;

enum class workload_kind {
  /// One input, two lanes of one task each.
  plain,
  /// Two inputs, one lane of two tasks, bad records, a timer that writes.
  mixed,
};

/// What is wrong with the code of a mixed job's task 1.
enum class poison {
  none,
  throws_at_a_record,
  cannot_be_constructed,
  /// One record takes `slow_record_time`.
  slow_at_a_record,
};
inline constexpr std::chrono::seconds slow_record_time{8};
/// The records that it is wrong about, in each input.
constexpr bool is_poison(int partition, std::int64_t offset) {
  return partition == 1 && offset == 3;
}

struct input_record {
  std::string key;
  std::string value;
};
using topic_partition = std::pair<std::string, int>;

/// A job whose result does not depend on how its inputs interleave: every
/// output tells how often its key was seen in this input. Small enough that a
/// life takes milliseconds.
struct workload {
  workload_kind kind;
  weir::job job;
  int partitions = 2;
  std::map<topic_partition, std::vector<input_record>> input;
  /// Records that the operator gave up: by place, as in `dead_letters`.
  std::map<std::string, parked_decision> given_up;

  settings make_settings(guarantee promise) const;
  task_factory factory(poison wrong, node_world& world) const;
};

workload make_workload(workload_kind kind, std::uint64_t seed);

/// The plain fold of the input that the job's outcome is compared with.
struct expectation {
  /// By output partition and key, in order.
  std::map<std::pair<int, std::string>, std::vector<std::string>> outputs;
  /// By partition: entries of the store "tallies".
  std::map<int, std::map<std::string, std::string>> tallies;
  /// "topic/partition@offset", each once.
  std::vector<std::string> dead_letters;
};

expectation expect(const workload& of);

} // namespace weir::sim
