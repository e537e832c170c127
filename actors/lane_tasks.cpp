// The tasks of a lane: how they come, fail and go (rules L6 to L8, H13, H17,
// H27, H28).
#include "actors/bring_up.hpp"
#include "actors/lane.hpp"
#include "runtime/log.hpp"

namespace weir {

namespace {

constexpr milliseconds first_pause{200};
constexpr milliseconds longest_pause{5'000};
/// A server that does not answer keeps no stop: the next owner fences.
constexpr milliseconds let_go_limit{1'500};

parked_kind kind_of(ec why) {
  switch (why) {
  case ec::too_large:
    return parked_kind::too_large;
  case ec::data_loss:
    return parked_kind::data_loss;
  case ec::task_failed:
    return parked_kind::exception;
  default:
    return parked_kind::corruption;
  }
}

} // namespace

// -- coming

void lane_actor::perform(const machine::bring_up& x) {
  bring_up_task what;
  what.partition = x.partition;
  what.attempt = x.attempt;
  what.producers = producers_;
  what.damaged = damaged_.count(x.partition) > 0;
  if (auto i = no_room_.find(x.partition); i != no_room_.end())
    what.room = i->second;
  bring_ups_[x.partition] = system().spawn<bring_up_actor>(
      context_, info_, caf::actor_cast<caf::actor>(this), std::move(what));
  adopt(bring_ups_[x.partition], [this, x](const std::string& why) {
    on_bring_up_failed({x.partition, x.attempt, failure_place::claim,
                        error{ec::disconnected, "its bring-up died: " + why},
                        std::nullopt});
  });
}

void lane_actor::perform(const machine::bring_up_later& x) {
  auto& pause = pauses_[x.partition];
  if (pause == milliseconds{0})
    pause = first_pause;
  run_after(pause, [this, x] {
    act(machine_.bring_up_due(x.partition, x.attempt));
  });
}

/// The same trouble again: twice as long.
void lane_actor::wait_longer(int partition) {
  auto& pause = pauses_[partition];
  pause = std::clamp(pause * 2, first_pause, longest_pause);
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
  tell(node_,
       task_waiting{x.partition, x.reason, x.held_elsewhere, x.parked});
}

void lane_actor::on_brought_up(const brought_up& x) {
  // It belongs to an earlier id: its database is closed, its claim is taken
  // again by the next bring-up.
  if (!machine_.is_current(x.partition, x.attempt))
    return context_->discard(x.handoff);
  bring_ups_.erase(x.partition);
  auto& handoff = *x.handoff;
  for (auto& topic : producers_->transactional.outputs)
    handoff.output_partitions.push_back(topic.partitions);
  hosted task;
  task.attempt = x.attempt;
  task.claim = handoff.claim;
  task.version = handoff.claim_version;
  task.committed = handoff.commit.has_value();
  task.pulse = handoff.pulse;
  task.decision = handoff.decision;
  task.decision_version = handoff.decision_version;
  handoff.careful = careful_.count(x.partition) > 0;
  auto first_commit = handoff.first_commit;
  std::vector<std::int64_t> positions;
  for (auto& input : handoff.inputs)
    positions.push_back(input.position.next_offset);
  task_setup setup;
  setup.context = context_;
  setup.handoff = x.handoff;
  setup.lane = caf::actor_cast<caf::actor>(this);
  std::string problem;
  try {
    task.actor = factory_(system(), setup);
  } catch (const std::exception& thrown) {
    problem = thrown.what();
  } catch (...) {
    problem = "something that is no std::exception";
  }
  bool made = task.actor != nullptr;
  // A task tells itself of what its code throws.
  if (made)
    adopt(task.actor, [this, partition = x.partition](const std::string& why) {
      fail_lane("task " + std::to_string(partition) + " died: " + why);
    });
  tasks_[x.partition] = std::move(task);
  if (!made) {
    // The lane's life ends, so that its id is fenced wherever the task goes.
    context_->discard(x.handoff);
    act(machine_.joined(x.partition, x.attempt, false));
    return blame({x.partition,
                  failure_place::user_code,
                  {ec::task_failed, "its constructor threw: " + problem},
                  std::nullopt,
                  positions});
  }
  damaged_.erase(x.partition);
  log_info("task.processing", "task", x.partition, "lane", options_.index);
  if (!first_commit) {
    tell(node_, task_progress{x.partition, positions, 0, 0});
    // Its owner may have died between that commit and the parked node.
    if (tasks_[x.partition].decision &&
        tasks_[x.partition].decision->has_record())
      settle_decision(x.partition, positions);
  }
  watch_claim(x.partition);
  // The commit's own incarnation did not learn that it succeeded.
  if (tasks_[x.partition].committed && !tasks_[x.partition].claim.born)
    mark_born(x.partition);
  act(machine_.joined(x.partition, x.attempt, first_commit));
}

void lane_actor::on_bring_up_failed(const bring_up_failed& x) {
  if (!machine_.is_current(x.partition, x.attempt))
    return;
  bring_ups_.erase(x.partition);
  auto text = to_string(x.why);
  auto again = [&] {
    log_warning("task.bring_up", "task", x.partition, "why", text);
    tell(node_, task_waiting{x.partition, text});
    wait_longer(x.partition);
    act(machine_.bring_up_failed(x.partition, x.attempt));
  };
  switch (react(x.where, x.why.code())) {
  case reaction::rebuild:
    damaged_.insert(x.partition);
    return again();
  case reaction::park:
  case reaction::lane_park:
  case reaction::leave_park:
    park(x.partition,
         x.fault ? parked_kind::lost_input : kind_of(x.why.code()), x.why,
         x.fault);
    return act(
        machine_.leave(x.partition, lane_machine::departure::park));
  case reaction::lane:
    // H18: a claim that another has taken means that our id is fenced.
    act(machine_.bring_up_failed(x.partition, x.attempt));
    return fail_lane("task " + std::to_string(x.partition) + ": " + text);
  case reaction::impossible:
  case reaction::node:
    tell(node_, node_failed{x.why});
    return again();
  default:
    return again();
  }
}

// -- failing

void lane_actor::on_task_failed(const task_failed& x) {
  if (!machine_.hosts(x.partition))
    return;
  auto text = "task " + std::to_string(x.partition) + ": " + to_string(x.why);
  using fate = machine::fate;
  switch (react(x.where, x.why.code())) {
  case reaction::lane:
  case reaction::retry:
    return fail_lane(text);
  case reaction::lane_rebuild:
  case reaction::rebuild:
    // L7: the changelog has what the database held.
    damaged_.insert(x.partition);
    return fail_lane(text);
  case reaction::lane_pause:
  case reaction::pause:
    // L7: a full disk pauses the task, and is nobody's fault.
    if (x.where == failure_place::apply)
      no_room_[x.partition] = x.bytes;
    tell(node_, task_waiting{x.partition, to_string(x.why)});
    wait_longer(x.partition);
    return fail_lane(text, fate{x.partition, true});
  case reaction::lane_park:
  case reaction::leave_park:
  case reaction::park:
    park(x.partition, kind_of(x.why.code()), x.why, x.fault);
    return fail_lane(text,
                     fate{x.partition, false, machine::departure::park});
  case reaction::lane_blame:
    // A value of the state shows at the seal only.
    if (x.why.code() == ec::too_large && !x.fault)
      careful_.insert(x.partition);
    return blame(x);
  case reaction::impossible:
  case reaction::node:
    fail_lane(text);
    return tell(node_, node_failed{x.why});
  }
}

/// Rule L8, by position.
void lane_actor::blame(const task_failed& x) {
  auto& record = blame_[x.partition];
  auto fault = x.positions;
  if (x.fault) {
    fault.assign(std::max(fault.size(), x.fault->input + 1), INT64_MAX);
    fault[x.fault->input] = x.fault->offset;
  }
  auto verdict = record.failed(
      fault, context_->outside.world->wall_clock_ms(), options_.solo);
  auto text = "task " + std::to_string(x.partition) + ": " + to_string(x.why);
  log_warning("task.failed", "task", x.partition, "in_a_row",
              record.in_a_row(), "why", to_string(x.why));
  machine::fate whose{x.partition, true};
  using enum blame_record::verdict;
  switch (verdict.what) {
  case retry:
    pauses_[x.partition] = milliseconds{verdict.pause_ms};
    break;
  case own_lane:
    whose = {x.partition, false, machine::departure::own_lane};
    break;
  case park: {
    auto kind = x.stuck ? parked_kind::stuck : kind_of(x.why.code());
    lane_actor::park(x.partition, kind, x.why, x.fault);
    whose = {x.partition, false, machine::departure::park};
    break;
  }
  }
  if (!x.stuck)
    return fail_lane(text, whose);
  say_failed(text);
  act(machine_.stuck(x.partition, whose));
}

void lane_actor::on_stuck(int partition, const task_pulse::call& x) {
  auto& task = tasks_.at(partition);
  task_failed what{partition, failure_place::user_code,
                   error{ec::task_failed, {}}, std::nullopt, {}};
  what.stuck = true;
  auto ms = std::to_string(x.ns / 1'000'000);
  std::string where = "a hook of the task";
  if (x.of == task_pulse::code::process) {
    auto& inputs = context_->job.inputs();
    input_fault fault;
    fault.input = std::min(x.input, inputs.size() - 1);
    fault.topic = context_->job.topic(inputs[fault.input]);
    fault.offset = x.offset;
    where = "process(" + fault.topic + "/" + std::to_string(partition) + "@" +
            std::to_string(x.offset) + ")";
    what.fault = fault;
  }
  what.why = {ec::task_failed, where + " has not returned for " + ms +
                                   " ms: the others of its lane go on "
                                   "without this task until it does"};
  what.positions.assign(context_->job.inputs().size(), INT64_MAX);
  log_error("task.stuck", "task", partition, "why", what.why.text(),
            "attempt", task.attempt);
  blame(what);
}

void lane_actor::on_task_rejects(const task_rejects& x) {
  if (!machine_.hosts(x.partition))
    return;
  park(x.partition, x.kind, x.why, x.fault);
  act(machine_.leave(x.partition, machine::departure::park));
}

void lane_actor::park(int partition, parked_kind kind, const error& why,
                      const std::optional<input_fault>& fault) {
  auto out = std::make_shared<parked_node>();
  out->why = why.text();
  out->kind = kind;
  out->who = to_string(context_->self);
  out->when_ms = context_->outside.world->wall_clock_ms();
  out->attempts = std::max(1, blame_[partition].in_a_row());
  if (fault) {
    out->topic = fault->topic;
    out->partition = partition;
    out->offset = fault->offset;
    out->until = fault->until;
    out->key_bytes = fault->key_bytes;
    out->value_bytes = fault->value_bytes;
  }
  blame_.erase(partition);
  parked_[partition] = std::move(out);
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
    run_after(first_pause, [this, what] {
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
    log_warning("claim.let_go_limit", "task", partition);
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
  tell(node_, task_suspect{x.partition, "failed three times in a row"});
}

} // namespace weir
