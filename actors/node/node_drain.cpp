// What a node knows of its job's progress: group offsets, `--until-drained`.
#include <algorithm>

#include "actors/node/node.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

/// Group offsets are for lag tools only: seldom enough to cost nothing.
constexpr milliseconds group_period{5'000};
/// From one look at the ends of the internal topics to the next.
constexpr milliseconds hop_look_period{50};

using partition_offsets = std::vector<std::pair<std::int32_t, std::int64_t>>;

/// Name of the job's consumer group.
std::string group_of(const job& x) {
  return x.name();
}

} // namespace

void node_actor::group_tick() {
  if (stopping_)
    return;
  commit_group([] {});
  run_after(group_period, [this] { group_tick(); });
}

void node_actor::commit_group(std::function<void()> then) {
  std::map<std::string, partition_offsets> offsets;
  auto& inputs = context_->job.sources();
  for (auto& [partition, task] : tasks_)
    for (std::size_t i = 0; task.running && i < task.positions.size(); ++i)
      offsets[context_->job.topic(inputs[i])].emplace_back(partition,
                                                           task.positions[i]);
  if (offsets.empty() || committing_group_)
    return then();
  committing_group_ = true;
  run_on(
      *context_->outside.run.net, {"group.commit", group_token_},
      [context = context_, offsets] {
        result<void> out;
        for (auto& [topic, list] : offsets)
          if (auto done = context->outside.streams->commit_group_offsets(
                  group_of(context->job), topic, list);
              !done)
            out = done;
        return out;
      },
      [this, then](result<void>& done) {
        committing_group_ = false;
        // Never the authority: a failure costs a lag tool its figure.
        if (!done)
          log_debug("group.offsets", "why", to_string(done.error()));
        then();
      });
}

bool node_actor::is_drained() const {
  for (auto& [partition, ends] : context_->targets) {
    if (drained_elsewhere_.count(partition) > 0)
      continue;
    auto i = tasks_.find(partition);
    if (i != tasks_.end() && i->second.parked)
      continue;
    if (i == tasks_.end() || i->second.positions.size() < ends.size())
      return false;
    for (std::size_t input = 0; input < ends.size(); ++input)
      if (i->second.positions[input] < ends[input])
        return false;
  }
  return true;
}

void node_actor::check_drained() {
  if (!context_->settings.until_drained || stopping_ || !is_drained())
    return;
  if (context_->job.internals().empty())
    finish_drained();
  else
    look_at_hops();
}

/// By task, as of their last commits; none of those that are parked.
std::map<int, std::vector<std::int64_t>> node_actor::hop_positions() const {
  std::map<int, std::vector<std::int64_t>> out;
  auto first = static_cast<std::ptrdiff_t>(context_->job.inputs().size());
  for (auto& [partition, task] : tasks_)
    if (!task.parked)
      out[partition].assign(
          task.positions.begin() +
              std::min(first, static_cast<std::ptrdiff_t>(
                                  task.positions.size())),
          task.positions.end());
  return out;
}

/// T47. The outer inputs are committed to their targets. Where every task has
/// committed all that the internal topics hold, uncommitted too, and none has
/// committed anything while they were asked, nothing is under way anywhere:
/// what is emitted is in the commit of the record that led to it.
void node_actor::look_at_hops() {
  if (std::exchange(looking_at_hops_, true))
    return;
  auto before = hop_positions();
  using all_ends = std::map<int, std::vector<std::int64_t>>;
  run_on(
      *context_->outside.run.net, {"hops.look", context_->stopping},
      [context = context_, before]() -> result<all_ends> {
        all_ends out;
        for (auto& [partition, ignored] : before)
          for (auto& declared : context->job.internals()) {
            auto ends = context->outside.streams->query_watermarks(
                context->job.topic(declared), partition,
                isolation::read_uncommitted);
            if (!ends)
              return fail(ends.error());
            out[partition].push_back(ends->high);
          }
        return out;
      },
      [this, before](result<all_ends>& ends) {
        looking_at_hops_ = false;
        if (stopping_)
          return;
        if (ends && *ends == before && hop_positions() == before &&
            is_drained() && drained_elsewhere_.empty())
          return finish_drained();
        run_after(hop_look_period, [this] { check_drained(); });
      });
}

void node_actor::finish_drained() {
  for (auto& [partition, task] : tasks_)
    if (task.parked)
      return stop(outcome_of(*task.parked),
                  "task " + std::to_string(partition) +
                      " is parked: " + task.parked->why +
                      "; every other input is at its end");
  report_.drained = true;
  stop(node_outcome::stopped, "every input is at its end");
}

/// A task that another process holds is drained when its group offsets say so;
/// when that process leaves, this one takes the task and sees for itself.
void node_actor::look_at_others() {
  if (!context_->settings.until_drained || stopping_ || looking_at_others_)
    return;
  bool others = false;
  for (auto& [partition, task] : tasks_)
    others |= task.held_elsewhere && drained_elsewhere_.count(partition) == 0;
  if (!others)
    return;
  looking_at_others_ = true;
  using all = std::vector<std::vector<std::optional<std::int64_t>>>;
  run_on(
      *context_->outside.run.net, {"group.offsets", context_->stopping},
      [context = context_, partitions = partitions_]() -> all {
        all out;
        for (auto& declared : context->job.inputs())
          out.push_back(context->outside.streams
                            ->group_offsets(group_of(context->job),
                                            context->job.topic(declared),
                                            partitions)
                            .value_or(std::vector<std::optional<std::int64_t>>(
                                static_cast<std::size_t>(partitions))));
        return out;
      },
      [this](all& found) {
        looking_at_others_ = false;
        for (auto& [partition, task] : tasks_) {
          auto ends = context_->targets.find(partition);
          if (!task.held_elsewhere || ends == context_->targets.end())
            continue;
          bool done = true;
          for (std::size_t i = 0; i < ends->second.size(); ++i)
            done &= found[i][static_cast<std::size_t>(partition)].value_or(
                        -1) >= ends->second[i];
          if (done)
            drained_elsewhere_.insert(partition);
        }
        check_drained();
      });
}

} // namespace weir
