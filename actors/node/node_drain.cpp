// What a node knows of its job's progress: group offsets, and when all that
// there was is committed.
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

/// The committed ends of the inputs, by task.
void node_actor::find_ends(std::function<void(result<drain_targets>&)> then) {
  run_on(
      *context_->outside.run.net, {"watermarks", context_->stopping},
      [context = context_,
       partitions = partitions_]() -> result<drain_targets> {
        drain_targets out;
        for (auto& declared : context->job.inputs())
          for (int p = 0; p < partitions; ++p) {
            auto limits = context->outside.streams->query_watermarks(
                context->job.topic(declared), p, isolation::read_committed);
            if (!limits)
              return fail(limits.error());
            out[p].push_back(limits->high);
          }
        return out;
      },
      std::move(then));
}

void node_actor::start_drain(drain_node what) {
  if (stopping_ || !started_)
    return what.done(fail(ec::closed, "the node does not run"));
  find_ends([this, what](result<drain_targets>& ends) {
    if (stopping_)
      return what.done(fail(ec::closed, "the node stops"));
    if (!ends)
      return what.done(fail(ends.error()));
    add_goal(std::move(*ends), what.done, what.token);
    check_drained();
  });
}

void node_actor::add_goal(drain_targets ends,
                          std::function<void(result<void>)> done,
                          cancel_token token) {
  goals_.push_back(std::make_shared<drain_goal>(
      drain_goal{std::move(ends), std::move(done), std::move(token)}));
}

bool node_actor::is_drained(const drain_goal& goal) const {
  for (auto& [partition, ends] : goal.ends) {
    if (goal.elsewhere.count(partition) > 0)
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
  std::erase_if(goals_, [](auto& each) { return each->token.cancelled(); });
  if (stopping_)
    return;
  // One that is reached may end the node.
  for (auto& goal : std::vector{goals_}) {
    if (!is_drained(*goal))
      continue;
    if (context_->job.internals().empty())
      reach(goal, {});
    else
      look_at_hops(goal);
  }
}

void node_actor::reach(const std::shared_ptr<drain_goal>& goal,
                       result<void> how) {
  if (std::erase(goals_, goal) == 0)
    return;
  int partition = 0;
  auto* parked = first_parked(partition);
  if (how && parked != nullptr)
    how = fail(ec::task_failed, "task " + std::to_string(partition) +
                                    " is parked: " + parked->why +
                                    "; every other input is at its end");
  goal->done(std::move(how));
}

/// When the node stops.
void node_actor::close_goals() {
  for (auto& goal : std::exchange(goals_, {}))
    goal->done(fail(ec::closed, "the node stopped before"));
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
void node_actor::look_at_hops(const std::shared_ptr<drain_goal>& goal) {
  if (std::exchange(goal->looking_at_hops, true))
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
      [this, before, goal](result<all_ends>& ends) {
        goal->looking_at_hops = false;
        if (stopping_)
          return;
        // What they emit to the internal topics cannot be seen from here.
        if (!goal->elsewhere.empty() && !context_->settings.until_drained)
          return reach(goal,
                       fail(ec::elsewhere,
                            "task " + std::to_string(*goal->elsewhere.begin()) +
                                " of this job is in another process or "
                                "node, and it has internal topics: drain "
                                "where all of its tasks are"));
        if (ends && *ends == before && hop_positions() == before &&
            is_drained(*goal) && goal->elsewhere.empty())
          return reach(goal, {});
        run_after(hop_look_period, [this] { check_drained(); });
      });
}

const parked_node* node_actor::first_parked(int& partition) const {
  for (auto& [p, task] : tasks_)
    if (task.parked) {
      partition = p;
      return task.parked.get();
    }
  return nullptr;
}

/// Of `--until-drained`.
void node_actor::finish_drained() {
  int partition = 0;
  if (auto* parked = first_parked(partition))
    return stop(outcome_of(*parked), "task " + std::to_string(partition) +
                                         " is parked: " + parked->why +
                                         "; every other input is at its end");
  report_.drained = true;
  stop(node_outcome::stopped, "every input is at its end");
}

/// A task that another process holds is drained when its group offsets say so;
/// when that process leaves, this one takes the task and sees for itself.
void node_actor::look_at_others() {
  if (goals_.empty() || stopping_ || looking_at_others_)
    return;
  bool others = false;
  for (auto& goal : goals_)
    for (auto& [partition, task] : tasks_)
      others |= task.held_elsewhere && goal->elsewhere.count(partition) == 0;
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
        for (auto& goal : goals_)
          for (auto& [partition, task] : tasks_) {
            auto ends = goal->ends.find(partition);
            if (!task.held_elsewhere || ends == goal->ends.end())
              continue;
            bool done = true;
            for (std::size_t i = 0; i < ends->second.size(); ++i)
              done &= found[i][static_cast<std::size_t>(partition)].value_or(
                          -1) >= ends->second[i];
            if (done)
              goal->elsewhere.insert(partition);
          }
        check_drained();
      });
}

} // namespace weir
