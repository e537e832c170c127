// What a node says of its tasks.
#include "actors/node/node.hpp"

namespace weir {

std::string_view to_string(task_phase x) noexcept {
  switch (x) {
  case task_phase::waiting:
    return "waiting";
  case task_phase::claiming:
    return "claiming";
  case task_phase::restoring:
    return "restoring";
  case task_phase::running:
    return "running";
  case task_phase::paused:
    return "paused";
  case task_phase::parked:
    return "parked";
  }
  return "claiming";
}

task_status node_actor::status_of(int partition,
                                  const task_progress_state& task) const {
  task_status out;
  out.partition = partition;
  out.reason = task.waiting;
  out.positions = task.positions;
  if (task.parked) {
    out.phase = task_phase::parked;
    out.reason = task.parked->why;
  } else if (paused_) {
    out.phase = task_phase::paused;
  } else if (task.running) {
    out.phase = task_phase::running;
  } else if (task.held_elsewhere) {
    out.phase = task_phase::waiting;
  } else if (task.restoring) {
    out.phase = task_phase::restoring;
  }
  return out;
}

node_status node_actor::status() const {
  node_status out;
  out.ready = started_ && info_ && !stopping_ && !rejoining_ && !paused_;
  for (int p = 0; p < partitions_; ++p) {
    auto i = tasks_.find(p);
    out.tasks.push_back(
        status_of(p, i == tasks_.end() ? task_progress_state{} : i->second));
    out.ready &= out.tasks.back().phase == task_phase::running ||
                 out.tasks.back().phase == task_phase::waiting;
  }
  return out;
}

} // namespace weir
