// What a node looks at in its inputs now and then: growth (rules R11, H3), and
// ends that stand still.
#include "actors/node/node.hpp"
#include "runtime/base/log.hpp"
#include "runtime/job/partition_counts.hpp"

namespace weir {

namespace {

constexpr milliseconds look_period{15'000};
/// Partitions asked for their ends at once: two questions each.
constexpr std::size_t most_ends = 16;

struct findings {
  result<partition_counts> counts;
  std::vector<partition_ends> ends;
};

findings ask(const node_context& context, const std::vector<int>& quiet) {
  auto& streams = *context.outside.streams;
  findings out{count_partitions(streams, context.job), {}};
  for (auto partition : quiet)
    for (auto& declared : context.job.inputs()) {
      auto topic = context.job.topic(declared);
      auto stable =
          streams.query_watermarks(topic, partition, isolation::read_committed);
      auto high = streams.query_watermarks(topic, partition,
                                           isolation::read_uncommitted);
      if (stable && high)
        out.ends.push_back({topic, partition, stable->high, high->high});
    }
  return out;
}

} // namespace

/// Tasks that went no further since the last look, in turns.
std::vector<int> node_actor::quiet_tasks() {
  std::vector<int> out;
  for (auto& [partition, task] : tasks_) {
    bool moved = std::exchange(task.looked_at, task.positions) !=
                 task.positions;
    if (!moved && task.running)
      out.push_back(partition);
  }
  if (out.size() > most_ends) {
    auto first = static_cast<std::ptrdiff_t>(next_look_ % out.size());
    next_look_ += most_ends;
    std::rotate(out.begin(), out.begin() + first, out.end());
    out.resize(most_ends);
  }
  return out;
}

void node_actor::look_at_inputs() {
  if (stopping_)
    return;
  run_on(
      *context_->outside.run.net, "inputs.look",
      [context = context_, quiet = quiet_tasks()] {
        return ask(*context, quiet);
      },
      [this](findings& found) {
        run_after(look_period, [this] { look_at_inputs(); });
        if (stopping_)
          return;
        if (found.counts)
          on_counts(compare_partitions(partitions_, *found.counts));
        tell_of_stalls(found.ends);
      });
}

/// New partitions would be skipped, and the keys' states stay behind in the old
/// ones: nothing is processed until the operator has decided.
void node_actor::on_counts(const std::vector<cluster_finding>& grown) {
  if (grown.empty()) {
    if (std::exchange(paused_, false)) {
      log_info("node.resumed", "why", "the inputs have the job's partitions");
      if (lanes_.empty())
        start_lanes();
    }
    return;
  }
  auto& first = grown.front();
  auto text = first.text + ": " + first.cure;
  if (context_->settings.until_drained)
    return stop(node_outcome::failed, text);
  if (std::exchange(paused_, true))
    return;
  for (auto& each : grown)
    log_error("input.partitions", "what", each.text, "cure", each.cure);
  for (auto& [partition, task] : tasks_) {
    task.running = false;
    task.waiting = text;
  }
  // No stop of the node: its limit does not run, and the membership stays.
  for (auto& [index, lane] : lanes_)
    tell_high(lane.actor, stop_lane{});
}

void node_actor::tell_of_stalls(const std::vector<partition_ends>& ends) {
  auto now = context_->outside.world->wall_clock_ms();
  for (auto& x : stalls_.look(ends, now, context_->settings.patience))
    log_warning("input.stalled", "input",
                x.at.topic + "/" + std::to_string(x.at.partition), "offset",
                x.at.stable, "records_behind", x.at.high - x.at.stable,
                "seconds", (now - x.since_ms) / 1'000, "why",
                "a transaction in it is not ended; who holds it",
                "find", find_hanging(context_->settings, x.at.topic,
                                     x.at.partition));
}

} // namespace weir
