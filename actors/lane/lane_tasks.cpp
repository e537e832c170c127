// The tasks of a lane: how they come and go (rules H13, H17).
#include "actors/bring_up/bring_up.hpp"
#include "actors/lane/lane.hpp"
#include "actors/task/task_origin.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

/// A server that does not answer keeps no stop: the next owner fences.
constexpr milliseconds let_go_limit{1'500};

} // namespace

// -- coming

void lane_actor::perform(const machine::bring_up& x) {
  bring_up_task what;
  what.partition = x.partition;
  what.attempt = x.attempt;
  what.producers = producers_;
  if (auto pause = pauses_.find(x.partition); pause != pauses_.end())
    pause->second.over();
  auto& history = histories_[x.partition];
  what.damaged = history.damaged;
  what.room = history.no_room;
  bring_ups_[x.partition] = system().spawn<bring_up_actor>(
      context_, info_, caf::actor_cast<caf::actor>(this), std::move(what));
  adopt(bring_ups_[x.partition], [this, x](const std::string& why) {
    on_bring_up_failed({x.partition, x.attempt, failure_place::claim,
                        error{ec::disconnected, "its bring-up died: " + why},
                        std::nullopt});
  });
}

void lane_actor::perform(const machine::bring_up_later& x) {
  run_after(pauses_[x.partition].left(now_ms()),
            [this, x] { act(machine_.bring_up_due(x.partition, x.attempt)); });
}

void lane_actor::perform(const machine::end_bring_up& x) {
  auto i = bring_ups_.find(x.partition);
  if (i == bring_ups_.end())
    return;
  end_actor(i->second);
  bring_ups_.erase(i);
}

void lane_actor::on_bring_up_waits(const bring_up_waits& x) {
  if (!machine_.is_current(x.partition, x.attempt))
    return;
  tell(node_, task_waiting{x.partition, x.reason, x.held_elsewhere, x.parked});
}

void lane_actor::on_brought_up(const brought_up& x) {
  // It belongs to an earlier id: its database is closed, its claim is taken
  // again by the next bring-up.
  if (!machine_.is_current(x.partition, x.attempt))
    return context_->discard(x.restored);
  bring_ups_.erase(x.partition);
  auto& restored = *x.restored;
  for (auto& topic : producers_->transactional.outputs)
    restored.output_partitions.push_back(topic.partitions);
  hosted task;
  task.attempt = x.attempt;
  task.claim = restored.claim;
  task.version = restored.claim_version;
  task.committed = restored.commit.has_value();
  task.pulse = restored.pulse;
  task.decision = restored.decision;
  task.decision_version = restored.decision_version;
  auto& history = histories_[x.partition];
  restored.careful = history.careful;
  restored.suspects = history.suspects;
  auto first_commit = restored.first_commit;
  std::vector<std::int64_t> positions;
  for (auto& input : restored.inputs)
    positions.push_back(input.position.next_offset);
  detail::task_origin origin;
  origin.context = context_;
  origin.restored = x.restored;
  origin.lane = caf::actor_cast<caf::actor>(this);
  std::string problem;
  try {
    task.actor = factory_(system(), detail::task_setup_access::make(origin));
  } catch (const std::exception& thrown) {
    problem = thrown.what();
  } catch (...) {
    problem = "something that is no std::exception";
  }
  bool made = task.actor != nullptr;
  // A task tells itself of what its code throws.
  if (made) {
    context_->places.arrived(x.partition, task.actor);
    adopt(task.actor, [this, partition = x.partition](const std::string& why) {
      fail_lane("task " + std::to_string(partition) + " died: " + why);
    });
  }
  tasks_[x.partition] = std::move(task);
  if (!made) {
    // The lane's life ends, so that its id is fenced wherever the task goes.
    context_->discard(x.restored);
    act(machine_.joined(x.partition, x.attempt, false));
    return blame({x.partition,
                  failure_place::user_code,
                  {ec::task_failed, "its constructor threw: " + problem},
                  std::nullopt,
                  positions});
  }
  history.damaged = false;
  log_info("task.processing", "task", x.partition, "lane", options_.index);
  if (!first_commit) {
    tell(node_, task_progress{x.partition, positions});
    // Its owner may have died between that commit and the parked node; and
    // where it was not about a record, that it is back is all that was decided:
    // with nothing to read there may be no commit.
    settle_decision(x.partition, positions);
  }
  watch_claim(x.partition);
  // The commit's own incarnation did not learn that it succeeded.
  if (tasks_[x.partition].committed && !tasks_[x.partition].claim.born)
    mark_born(x.partition);
  act(machine_.joined(x.partition, x.attempt, first_commit));
}

// -- going

void lane_actor::perform(const machine::end_task& x) {
  auto i = tasks_.find(x.partition);
  if (i == tasks_.end())
    return act(machine_.gone(x.partition));
  // Its constructor threw: there is nothing to end.
  if (!i->second.actor) {
    tasks_.erase(i);
    return act(machine_.gone(x.partition));
  }
  tell_high(i->second.actor, end_task{x.clean});
}

void lane_actor::on_task_gone(const task_gone& x) {
  auto i = tasks_.find(x.partition);
  if (i == tasks_.end())
    return;
  if (x.uncommitted)
    lost_.insert(x.partition);
  else
    lost_.erase(x.partition);
  if (i->second.committed)
    committed_.insert(x.partition);
  bool by_itself = machine_.hosts(x.partition);
  context_->places.gone(x.partition);
  tasks_.erase(i);
  if (by_itself)
    say_failed("task " + std::to_string(x.partition) + " ended");
  act(machine_.gone(x.partition));
}

void lane_actor::perform(const machine::let_go& x) {
  let_go_task what;
  what.partition = x.partition;
  what.attempt = x.attempt;
  what.committed = committed_.count(x.partition) > 0;
  if (producers_)
    what.living_id = producers_->id;
  if (x.why == machine::departure::park) {
    auto i = parked_.find(x.partition);
    if (i != parked_.end()) {
      // Under `exit` the node ends instead, and the next one tries again.
      if (context_->settings.on_task_stop == task_stop_policy::exit)
        tell(node_, task_parked{x.partition, i->second});
      else
        what.parked = i->second;
      parked_.erase(i);
    }
  }
  start_let_go(what);
  if (machine_.wish() != machine::goal::run)
    limit_let_go(x.partition, x.attempt);
}

void lane_actor::start_let_go(const let_go_task& what) {
  auto actor = system().spawn<let_go_actor>(
      context_, info_, caf::actor_cast<caf::actor>(this), what);
  // H31: as a retry.
  adopt(actor, [this, what](const std::string&) {
    run_after(back_off::first, [this, what] {
      if (machine_.is_current(what.partition, what.attempt))
        start_let_go(what);
    });
  });
  let_gos_[what.partition] = {actor, what};
}

void lane_actor::on_let_gone(const let_gone& x) {
  auto i = let_gos_.find(x.partition);
  if (i == let_gos_.end() || i->second.what.attempt != x.attempt)
    return;
  // H28: now that it is written, and not before.
  if (i->second.what.parked)
    tell(node_, task_parked{x.partition, i->second.what.parked});
  let_gos_.erase(i);
  act(machine_.let_gone(x.partition, x.attempt));
}

void lane_actor::limit_let_go(int partition, std::uint64_t attempt) {
  run_after(let_go_limit, [this, partition, attempt] {
    auto i = let_gos_.find(partition);
    if (i == let_gos_.end() || i->second.what.attempt != attempt)
      return;
    auto now = context_->outside.world->steady_ns();
    if (auto left_out = let_go_lines_.pass(now))
      log_warning("claim.let_go_limit", "task", partition, "others", *left_out);
    end_actor(i->second.actor);
    on_let_gone({partition, attempt});
  });
}

void lane_actor::perform(const machine::end_let_go& x) {
  auto i = let_gos_.find(x.partition);
  if (i == let_gos_.end())
    return;
  end_actor(i->second.actor);
  let_gos_.erase(i);
}

/// L8: it must not drag the others of its lane down again.
void lane_actor::perform(const machine::hand_on& x) {
  std::erase(options_.partitions, x.partition);
  auto history = histories_.extract(x.partition);
  tell(node_, task_suspect{x.partition, "failed three times in a row",
                           history ? history.mapped() : task_history{}});
}

} // namespace weir
