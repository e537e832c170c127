// The mailbox of a lane, and its transactions.
#include "actors/lane/lane.hpp"

#include "runtime/base/assert.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

/// Rule L9.
constexpr milliseconds heartbeat_period{24 * 3'600'000};
/// Between two looks at whose seal is missing.
constexpr milliseconds seal_look{500};

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
      last_commit_ms_(context_->outside.world->wall_clock_ms()) {
  histories_.swap(options_.histories);
  observe("lane", context_->outside.log, context_->outside.handler_probe);
  machine_.at_least_once =
      context_->settings.guarantee == guarantee::at_least_once;
}

caf::behavior lane_actor::make_behavior() {
  for (auto partition : options_.partitions)
    act(machine_.add(partition));
  act(machine_.start());
  return {
      [](const continuation& step) { step.run(); },
      [this](const stop_lane&) {
        act(machine_.drain());
        for (auto& [partition, each] : let_gos_)
          limit_let_go(partition, each.what.attempt);
      },
      [this](const drop_lane&) { act(machine_.drop()); },
      [this](const set_check_interval& x) {
        options_.check_interval = x.value;
        start_timer();
      },
      [this](const members_changed& x) {
        for (auto& [partition, actor] : bring_ups_)
          tell(actor, x);
      },
      [this](const sync_due& x) { tell_tasks(x); },
      [this](const release_memory& x) { tell_tasks(x); },
      [this](const brought_up& x) { on_brought_up(x); },
      [this](const bring_up_waits& x) { on_bring_up_waits(x); },
      [this](const bring_up_restores& x) {
        if (machine_.is_current(x.partition, x.attempt))
          tell(node_, task_restoring{x.partition});
      },
      [this](const bring_up_failed& x) { on_bring_up_failed(x); },
      [this](const let_gone& x) { on_let_gone(x); },
      [this](const commit_wanted&) { act(machine_.want_commit()); },
      [this](const hop_written&) { hop_commit(); },
      [this](const task_sealed& x) {
        seal_answered(machine_.sealed(x.partition, x.number, x.empty));
      },
      [this](const outputs_acknowledged& x) {
        seal_answered(machine_.outputs_acknowledged(x.partition, x.number));
      },
      [this](const outputs_failed& x) {
        if (x.number == machine_.transaction())
          transaction_failed("outputs of task " + std::to_string(x.partition),
                             x.why);
      },
      [this](const task_applied& x) { on_applied(x); },
      [this](const task_failed& x) { on_task_failed(x); },
      [this](const task_rejects& x) { on_task_rejects(x); },
      [this](const task_gone& x) { on_task_gone(x); },
  };
}

void lane_actor::on_exit() {
  // After an exception: what claims name these ids is an earlier lane's now.
  for (auto* each : {producers_.get(), successor_.get()})
    if (each != nullptr)
      context_->members.living().end(each->id);
  // The thread of the executor may still run a commit: wait for it elsewhere.
  context_->outside.run.bury->post(
      "lane.end", [committer = std::move(committer_),
                   held = std::move(producers_)]() mutable {
        committer->stop();
        held.reset();
      });
  context_->discard(std::move(successor_));
  tasks_.clear();
  bring_ups_.clear();
  let_gos_.clear();
  todo_.clear();
  node_ = nullptr;
}

/// What an action leads to at once is done behind what was decided before it.
void lane_actor::act(const machine::actions& todo) {
  todo_.insert(todo_.end(), todo.begin(), todo.end());
  if (std::exchange(acting_, true))
    return;
  while (!todo_.empty()) {
    auto next = std::move(todo_.front());
    todo_.pop_front();
    std::visit([this](auto& x) { perform(x); }, next);
  }
  acting_ = false;
}

void lane_actor::perform(const machine::seal& x) {
  auto i = tasks_.find(x.partition);
  // A task whose constructor threw has no actor; its lane fails next.
  if (i == tasks_.end() || x.number != machine_.transaction() ||
      !i->second.actor)
    return;
  timing_.sealing(now_ms());
  tell_high(i->second.actor,
            seal_request{x.number, x.forced, x.last,
                         context_->outside.world->steady_ns()});
}

void lane_actor::perform(const machine::commit& x) {
  if (machine_.state() != machine::phase::publishing)
    return;
  timing_.publishing(now_ms());
  run_on(
      *committer_,
      {"commit", producers_->transaction_timeout, context_->giving_up},
      [producers = producers_] {
        return producers->transactional.handle->commit();
      },
      [this, number = x.number](result<commit_report>& outcome) {
        if (machine_.state() != machine::phase::publishing ||
            number != machine_.transaction())
          return;
        if (!outcome)
          return transaction_failed("commit", outcome.error());
        timing_.committed(now_ms());
        last_commit_ms_ = context_->outside.world->wall_clock_ms();
        lives_failed_ = 0;
        // L9: a transaction that lasts longer than its time-out fails.
        auto outlasts = options_.check_interval > producers_->longest_interval;
        if (outcome->retire_id || outlasts)
          log_warning("lane.retire_id", "lane", options_.index, "producer",
                      producers_->id);
        act(machine_.committed(number, outcome->retire_id || outlasts));
      });
}

void lane_actor::seal_answered(const machine::actions& todo) {
  // Nothing was sent into the transaction: at the broker it has not begun yet.
  if (machine_.state() == machine::phase::open)
    began_ms_ = now_ms();
  act(todo);
}

void lane_actor::perform(const machine::apply& x) {
  auto i = tasks_.find(x.partition);
  if (i != tasks_.end())
    tell_high(i->second.actor, apply_request{x.number});
}

void lane_actor::perform(const machine::begin& x) {
  if (x.number != machine_.transaction() || !producers_)
    return;
  began_ms_ = now_ms();
  if (auto done = producers_->transactional.handle->begin(); !done)
    transaction_failed("begin", done.error());
}

void lane_actor::perform(const machine::begun& x) {
  auto i = tasks_.find(x.partition);
  // A failed begin, or a constructor that threw: the task ends next.
  if (i == tasks_.end() || x.number != machine_.transaction() || !producers_ ||
      machine_.state() == machine::phase::failing || !i->second.actor)
    return;
  auto& task = i->second;
  // H11, H12: whoever takes the claim fences the id that it names.
  WEIR_ASSERT(task.claim.producer_id == producers_->id,
              "the acknowledged claim names the producer id of the transaction");
  tell_high(task.actor, transaction_begun{x.number, producers_,
                                          task.claim.epoch});
}

void lane_actor::start_timer() {
  auto timer = ++timer_;
  // Jitter: lanes and nodes do not commit on the same tick.
  auto interval = options_.check_interval;
  // L9: a transaction ends well before its time-out does it.
  if (producers_)
    interval = std::min({interval, producers_->longest_interval,
                         producers_->transaction_timeout * 2 / 3});
  auto spread = interval.count() / 10 + 1;
  auto jitter =
      static_cast<std::int64_t>(context_->outside.world->random_bits() %
                                static_cast<std::uint64_t>(spread));
  run_after(interval - milliseconds{spread / 2} + milliseconds{jitter},
            [this, timer] { tick(timer); });
}

void lane_actor::tick(std::uint64_t timer) {
  if (timer != timer_ || machine_.state() == machine::phase::ended)
    return;
  start_timer();
  if (!producers_)
    return;
  auto now = context_->outside.world->wall_clock_ms();
  if (now - last_commit_ms_ < heartbeat_period.count()) {
    act(machine_.want_commit());
  } else {
    last_commit_ms_ = now;
    act(machine_.heartbeat());
  }
  watch_seal();
}

/// T48: a hop costs one commit, so the next one comes soon; but not one after
/// the other, which would leave no time for work.
void lane_actor::hop_commit() {
  auto pause = context_->settings.hop_interval.count();
  if (pause >= options_.check_interval.count())
    return;
  auto since = now_ms() - last_hop_commit_ms_;
  if (since >= pause) {
    last_hop_commit_ms_ = now_ms();
    return act(machine_.want_commit());
  }
  if (std::exchange(hop_commit_due_, true))
    return;
  run_after(milliseconds{pause - since}, [this] {
    hop_commit_due_ = false;
    last_hop_commit_ms_ = now_ms();
    act(machine_.want_commit());
  });
}

/// While a seal is waited for, however long T_c is.
void lane_actor::watch_seal() {
  auto number = machine_.transaction();
  if (machine_.state() != machine::phase::sealing || watched_seal_ == number)
    return;
  watched_seal_ = number;
  run_after(seal_look, [this, number] {
    watched_seal_ = 0;
    if (machine_.transaction() != number)
      return;
    look_for_stuck();
    watch_seal();
  });
}

/// H27: a call of user code that is not back at two thirds of the transaction's
/// time-out would take the other tasks' commit with it.
void lane_actor::look_for_stuck() {
  auto open_for = now_ms() - began_ms_;
  if (!producers_ || open_for < producers_->transaction_timeout.count() * 2 / 3)
    return;
  auto now = context_->outside.world->steady_ns();
  for (auto partition : machine_.unsealed()) {
    auto& task = tasks_.at(partition);
    auto call = task.pulse->running(now);
    // Not back for a while, that is: cheap calls follow each other.
    if (!call || call->ns / 1'000'000 < open_for / 2)
      continue;
    return on_stuck(partition, *call);
  }
}

void lane_actor::on_applied(const task_applied& x) {
  auto i = tasks_.find(x.partition);
  if (i == tasks_.end())
    return;
  forget_blame(x);
  pauses_.erase(x.partition);
  i->second.committed = true;
  lost_.erase(x.partition);
  tell(node_, task_progress{x.partition, x.positions});
  if (!i->second.claim.born)
    mark_born(x.partition);
  settle_decision(x.partition, x.positions);
  auto todo = machine_.applied(x.partition, x.number);
  // Before the next seal, which may be among what is to be done.
  if (!machine_.is_applying())
    note_slow_commit(x.number);
  act(todo);
}

void lane_actor::note_slow_commit(std::uint64_t number) {
  auto phases = timing_.applied(now_ms());
  if (phases && is_slow(*phases, options_.check_interval.count()))
    log_warning("commit.slow", "lane", options_.index, "number", number,
                "seal_ms", phases->seal, "publish_ms", phases->publish,
                "apply_ms", phases->apply);
}

} // namespace weir
