// What a node does about its job's internal topics while it runs.
#include "actors/node/node.hpp"
#include "runtime/base/log.hpp"

namespace weir {

/// T46: what its tasks had committed at the T_s before this one is deleted.
/// Another process that has a task meanwhile goes on from there or later, and
/// what is restored is no older than a commit that was applied.
void node_actor::trim_hops() {
  if (context_->job.internals().empty() || std::exchange(trimming_, true))
    return;
  using offsets = stream_system::partition_offsets;
  std::map<std::string, offsets> todo;
  for (auto& [partition, positions] :
       std::exchange(trim_below_, hop_positions()))
    for (std::size_t i = 0; i < positions.size(); ++i)
      if (positions[i] > 0)
        todo[context_->job.topic(context_->job.internals()[i])].emplace_back(
            partition, positions[i]);
  run_on(
      *context_->outside.run.net, {"hops.trim", context_->stopping},
      [context = context_, todo]() -> result<void> {
        for (auto& [topic, below] : todo)
          if (auto done =
                  context->outside.streams->delete_records(topic, below);
              !done)
            return done;
        return {};
      },
      [this](result<void>& done) {
        trimming_ = false;
        // What is left goes with the next one.
        if (!done)
          log_warning("hop.trim", "why", to_string(done.error()));
      });
}

} // namespace weir
