// What stops the tasks of a lane, and whose fault it is (rules L6 to L8, H27,
// H28).
#include "actors/lane/lane.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

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

reaction lane_actor::react_to(failure_place where, ec what) {
  log_decision(where, what);
  return react(where, what);
}

void lane_actor::on_bring_up_failed(const bring_up_failed& x) {
  if (!machine_.is_current(x.partition, x.attempt))
    return;
  bring_ups_.erase(x.partition);
  auto text = to_string(x.why);
  auto again = [&] {
    log_warning("task.bring_up", "task", x.partition, "why", text);
    tell(node_, task_waiting{x.partition, text});
    pauses_[x.partition].longer();
    act(machine_.bring_up_failed(x.partition, x.attempt));
  };
  switch (react_to(x.where, x.why.code())) {
  case reaction::rebuild:
    histories_[x.partition].damaged = true;
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

void lane_actor::on_task_failed(const task_failed& x) {
  if (!machine_.hosts(x.partition))
    return;
  auto text = "task " + std::to_string(x.partition) + ": " + to_string(x.why);
  using fate = machine::fate;
  switch (react_to(x.where, x.why.code())) {
  case reaction::lane:
  case reaction::retry:
    return fail_lane(text);
  case reaction::lane_rebuild:
  case reaction::rebuild:
    // L7: the changelog has what the database held.
    histories_[x.partition].damaged = true;
    return fail_lane(text);
  case reaction::lane_pause:
  case reaction::pause:
    // L7: a full disk pauses the task, and is nobody's fault.
    if (x.where == failure_place::apply)
      histories_[x.partition].no_room = x.bytes;
    tell(node_, task_waiting{x.partition, to_string(x.why)});
    pauses_[x.partition].longer();
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
      histories_[x.partition].careful = true;
    return blame(x);
  case reaction::impossible:
  case reaction::node:
    fail_lane(text);
    return tell(node_, node_failed{x.why});
  }
}

/// Of the transaction as a whole: no task is at fault.
void lane_actor::transaction_failed(const std::string& what, const error& why) {
  // What is left of an earlier life fails too.
  if (has_no_life())
    return;
  auto todo = react_to(failure_place::transaction, why.code());
  fail_lane(what + ": " + to_string(why));
  if (todo == reaction::node || todo == reaction::impossible)
    tell(node_, node_failed{why});
}

/// Whether the record at fault was known as one; true without a record.
bool lane_actor::note_suspect(const task_failed& x) {
  if (!x.fault)
    return true;
  auto& suspects = histories_[x.partition].suspects;
  auto known = suspects.find(x.fault->input);
  bool same = known != suspects.end() && known->second == x.fault->offset;
  suspects[x.fault->input] = x.fault->offset;
  return same;
}

/// Rule L8, by position.
void lane_actor::blame(const task_failed& x) {
  auto& record = blame_[x.partition];
  auto fault = x.positions;
  if (x.fault) {
    fault.assign(std::max(fault.size(), x.fault->input + 1), INT64_MAX);
    fault[x.fault->input] = x.fault->offset;
  }
  bool suspected = note_suspect(x);
  auto verdict = record.failed(
      fault, context_->outside.world->wall_clock_ms(), options_.solo);
  auto text = "task " + std::to_string(x.partition) + ": " + to_string(x.why);
  log_warning("task.failed", "task", x.partition, "in_a_row",
              record.in_a_row(), "why", to_string(x.why));
  machine::fate whose{x.partition, true};
  using enum blame_record::verdict;
  // Once more, so that what is before this record is committed.
  if (verdict.what == park && !suspected)
    verdict.what = retry;
  switch (verdict.what) {
  case retry:
    pauses_[x.partition].set(milliseconds{verdict.pause_ms});
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
    auto& inputs = context_->job.sources();
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
  what.positions.assign(context_->job.sources().size(), INT64_MAX);
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
    out->more_gaps = fault->more_gaps;
    out->key_bytes = fault->key_bytes;
    out->value_bytes = fault->value_bytes;
  }
  blame_.erase(partition);
  parked_[partition] = std::move(out);
}

/// L8: a commit that passes what was at fault.
void lane_actor::forget_blame(const task_applied& x) {
  auto& blamed = blame_[x.partition];
  blamed.committed(x.positions);
  auto& history = histories_[x.partition];
  history.no_room = 0;
  if (blamed.in_a_row() == 0)
    history.careful = false;
  std::erase_if(history.suspects, [&](auto& each) {
    return x.positions[each.first] > each.second;
  });
}

} // namespace weir
