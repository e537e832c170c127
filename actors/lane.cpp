#include "actors/lane.hpp"

#include "actors/bring_up.hpp"
#include "runtime/log.hpp"

namespace weir {

namespace {

/// Rule L9.
constexpr milliseconds heartbeat_period{24 * 3'600'000};

} // namespace

lane_actor::lane_actor(caf::actor_config& config,
                       std::shared_ptr<node_context> context,
                       std::shared_ptr<membership_info> info, caf::actor node,
                       task_factory factory, lane_options options)
    : stepping_actor(config), context_(std::move(context)),
      info_(std::move(info)), node_(std::move(node)),
      factory_(std::move(factory)), options_(std::move(options)),
      committer_(context_->outside.make_executor(
          "weir-commit-" + std::to_string(options_.index))),
      last_commit_ms_(context_->outside.world->wall_clock_ms()) {}

caf::behavior lane_actor::make_behavior() {
  open_life();
  return {
      [](const continuation& step) { step.run(); },
      [this](const stop_lane&) {
        stopping_ = true;
        end_bring_ups();
        if (!producers_ && !ending_)
          finish();
        else
          act(machine_.stop());
      },
      [this](const drop_lane&) {
        stopping_ = dropped_ = true;
        end_bring_ups();
        if (releasing_ || (!producers_ && !ending_))
          finish();
        else if (!ending_)
          fail_lane("the node left the coordination service", std::nullopt);
      },
      [this](const set_check_interval& x) {
        options_.check_interval = x.value;
        start_timer();
      },
      [this](const members_changed& x) {
        for (auto& [partition, started] : bring_ups_)
          tell(started.actor, x);
      },
      [this](const sync_due& x) {
        for (auto& [partition, task] : tasks_)
          tell(task.actor, x);
      },
      [this](const brought_up& x) { on_brought_up(x); },
      [this](const bring_up_waits& x) {
        if (is_current(x.partition, x.attempt))
          tell(node_, task_waiting{x.partition, x.reason, x.held_elsewhere});
      },
      [this](const bring_up_failed& x) { on_bring_up_failed(x); },
      [this](const commit_wanted&) { act(machine_.want_commit()); },
      [this](const task_sealed& x) {
        act(machine_.sealed(x.partition, x.number, x.empty));
      },
      [this](const outputs_acknowledged& x) {
        act(machine_.outputs_acknowledged(x.partition, x.number));
      },
      [this](const outputs_failed& x) {
        if (x.number == machine_.transaction())
          fail_lane("outputs of task " + std::to_string(x.partition) + ": " +
                        to_string(x.why),
                    std::nullopt);
      },
      [this](const task_applied& x) { on_applied(x); },
      [this](const task_failed& x) { on_task_failed(x); },
      [this](const task_rejects& x) {
        tell(node_, task_stopped{x.partition, x.why, true});
      },
      [this](const task_gone& x) { on_task_gone(x); },
  };
}

void lane_actor::on_exit() {
  // The thread of the executor may still run a commit: wait for it elsewhere.
  context_->outside.run.bury->post("lane.end",
                                   [committer = std::move(committer_),
                                    held = std::move(producers_)]() mutable {
                                     committer->stop();
                                     held.reset();
                                   });
  context_->discard(std::move(successor_));
  tasks_.clear();
  bring_ups_.clear();
  node_ = nullptr;
}

void lane_actor::act(const lane_machine::actions& todo) {
  auto life = life_;
  for (auto& each : todo) {
    // An action may end this life; what follows it is void then.
    if (life != life_ || ending_)
      return;
    std::visit([this](auto& x) { perform(x); }, each);
  }
}

void lane_actor::perform(const lane_machine::seal& x) {
  auto i = tasks_.find(x.partition);
  if (i != tasks_.end())
    tell_high(i->second.actor, seal_request{x.number, x.forced, x.last});
}

void lane_actor::perform(const lane_machine::commit& x) {
  auto life = life_;
  run_on(
      *committer_,
      {"commit",
       context_->settings.transaction_timeout(producers_->longest_interval)},
      [producers = producers_] {
        return producers->transactional.handle->commit();
      },
      [this, life, number = x.number](result<commit_report>& outcome) {
        if (life != life_ || ending_)
          return;
        if (!outcome)
          return fail_lane("commit: " + to_string(outcome.error()),
                           std::nullopt);
        last_commit_ms_ = context_->outside.world->wall_clock_ms();
        lives_failed_ = 0;
        // L9: a transaction that lasts longer than its time-out fails.
        auto outlasts = options_.check_interval > producers_->longest_interval;
        act(machine_.committed(number, outcome->retire_id || outlasts));
      });
}

void lane_actor::perform(const lane_machine::apply& x) {
  auto i = tasks_.find(x.partition);
  if (i != tasks_.end())
    tell_high(i->second.actor, apply_request{x.number});
}

void lane_actor::perform(const lane_machine::begin&) {
  if (auto done = producers_->transactional.handle->begin(); !done)
    fail_lane("begin: " + to_string(done.error()), std::nullopt);
}

void lane_actor::perform(const lane_machine::begun& x) {
  auto i = tasks_.find(x.partition);
  if (i != tasks_.end())
    tell_high(i->second.actor,
              transaction_begun{x.number, producers_, i->second.claim.epoch});
}

void lane_actor::perform(const lane_machine::retire_id&) {
  log_warning("lane.retire_id", "lane", options_.index, "producer",
              producers_->id);
  retire_current_id();
}

void lane_actor::perform(const lane_machine::give_up& x) {
  give_up(x.reason, x.culprit);
}

void lane_actor::perform(const lane_machine::stopped&) {
  end_tasks(true);
}

void lane_actor::fail_lane(std::string reason, std::optional<int> culprit) {
  if (ending_)
    return;
  auto todo = machine_.failed(std::move(reason), culprit);
  for (auto& each : todo)
    std::visit([this](auto& x) { perform(x); }, each);
}

void lane_actor::start_timer() {
  auto timer = ++timer_;
  // Jitter: lanes and nodes do not commit on the same tick.
  auto interval = options_.check_interval;
  if (producers_)
    interval = std::min(interval, producers_->longest_interval);
  auto spread = interval.count() / 10 + 1;
  auto jitter =
      static_cast<std::int64_t>(context_->outside.world->random_bits() %
                                static_cast<std::uint64_t>(spread));
  run_after(interval - milliseconds{spread / 2} + milliseconds{jitter},
            [this, timer] { tick(timer); });
}

void lane_actor::tick(std::uint64_t timer) {
  if (timer != timer_ || finished_)
    return;
  start_timer();
  if (ending_ || !producers_)
    return;
  auto now = context_->outside.world->wall_clock_ms();
  if (now - last_commit_ms_ < heartbeat_period.count())
    return act(machine_.want_commit());
  last_commit_ms_ = now;
  act(machine_.heartbeat());
}

bool lane_actor::is_current(int partition, std::uint64_t attempt) const {
  auto i = bring_ups_.find(partition);
  return i != bring_ups_.end() && i->second.attempt == attempt;
}

void lane_actor::on_brought_up(const brought_up& x) {
  // It belongs to an earlier id: its database is closed, its claim is taken
  // again by the next bring-up.
  if (!is_current(x.partition, x.attempt))
    return context_->discard(x.handoff);
  bring_ups_.erase(x.partition);
  auto& handoff = *x.handoff;
  for (auto& topic : producers_->transactional.outputs)
    handoff.output_partitions.push_back(topic.partitions);
  hosted task;
  task.claim = handoff.claim;
  task.version = handoff.claim_version;
  task.committed = handoff.commit.has_value();
  auto first_commit = handoff.first_commit;
  task_setup setup;
  setup.context = context_;
  setup.handoff = x.handoff;
  setup.lane = caf::actor_cast<caf::actor>(this);
  try {
    task.actor = factory_(system(), setup);
  } catch (const std::exception& problem) {
    return on_constructor_threw(x, problem.what());
  } catch (...) {
    return on_constructor_threw(x, "something that is no std::exception");
  }
  tasks_[x.partition] = std::move(task);
  damaged_.erase(x.partition);
  log_info("task.processing", "task", x.partition, "lane", options_.index);
  std::vector<std::int64_t> positions;
  for (auto& input : handoff.inputs)
    positions.push_back(input.position.next_offset);
  if (!first_commit)
    tell(node_, task_progress{x.partition, positions, 0, 0});
  watch_claim(x.partition);
  // The commit's own incarnation did not learn that it succeeded.
  if (tasks_[x.partition].committed && !tasks_[x.partition].claim.born)
    mark_born(x.partition);
  act(machine_.join(x.partition, first_commit));
}

/// The lane's life ends, so that its id is fenced wherever the task goes next.
void lane_actor::on_constructor_threw(const brought_up& x,
                                      const std::string& what) {
  context_->discard(x.handoff);
  fail_lane("task " + std::to_string(x.partition) +
                ": its constructor threw: " + what,
            x.partition);
}

void lane_actor::on_bring_up_failed(const bring_up_failed& x) {
  if (!is_current(x.partition, x.attempt))
    return;
  bring_ups_.erase(x.partition);
  switch (x.why.code()) {
  case ec::damaged:
    damaged_.insert(x.partition);
    [[fallthrough]];
  case ec::io_error:
  case ec::locked:
  case ec::disconnected:
  case ec::timed_out:
  case ec::closed:
  case ec::not_found:
  case ec::rejected:
  case ec::offset_out_of_range:
    // A full disk, a server that is away or has just come back and does not
    // know its topics, a directory still in use: wait, say so, go on (L7).
    log_warning("task.bring_up", "task", x.partition, "why", to_string(x.why));
    tell(node_, task_waiting{x.partition, to_string(x.why)});
    return bring_up_later(x.partition, milliseconds{1'000});
  default:
    tell(node_, task_stopped{x.partition, x.why, false});
  }
}

void lane_actor::on_task_failed(const task_failed& x) {
  if (tasks_.count(x.partition) == 0)
    return;
  auto text = "task " + std::to_string(x.partition) + ": " + to_string(x.why);
  switch (x.why.code()) {
  case ec::fenced:
  case ec::transaction_failed:
    return fail_lane(std::move(text), std::nullopt);
  case ec::data_loss:
    // R5: the same again, however often it is tried.
    fail_lane(std::move(text), std::nullopt);
    return tell(node_, task_stopped{x.partition, x.why, false});
  case ec::damaged:
    // L7: the changelog has what the database held.
    damaged_.insert(x.partition);
    [[fallthrough]];
  default:
    fail_lane(std::move(text), x.partition);
  }
}

void lane_actor::on_applied(const task_applied& x) {
  auto i = tasks_.find(x.partition);
  if (i == tasks_.end() || ending_)
    return;
  failures_.erase(x.partition);
  i->second.committed = true;
  tell(node_, task_progress{x.partition, x.positions, x.records, x.skipped});
  if (!i->second.claim.born)
    mark_born(x.partition);
  act(machine_.applied(x.partition, x.number));
}

} // namespace weir
