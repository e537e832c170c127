#include "actors/node/node.hpp"

#include "actors/lane/lane.hpp"
#include "actors/membership/membership.hpp"
#include "runtime/base/log.hpp"
#include "runtime/job/topics.hpp"

namespace weir {

namespace {

constexpr milliseconds progress_period{500};
/// Before a check of the cluster that failed is tried again.
constexpr milliseconds check_pause{5'000};

node_outcome outcome_of(const error& why) {
  switch (why.code()) {
  case ec::data_loss:
  case ec::corruption:
  case ec::damaged:
  case ec::bad_format:
    return node_outcome::data_loss;
  case ec::task_failed:
    return node_outcome::task_stopped;
  default:
    return node_outcome::failed;
  }
}

/// A call of user code that lasts longer is shown.
constexpr std::chrono::nanoseconds shown_call{1'000'000'000};

std::string describe(const task_pulse::call& x, const job& of, int partition) {
  auto seconds = std::to_string(x.ns / 1'000'000'000) + " s";
  if (x.of != task_pulse::code::process)
    return "in its own code for " + seconds;
  return "at " + of.topic(of.sources()[x.input]) + "/" +
         std::to_string(partition) + "@" + std::to_string(x.offset) + " for " +
         seconds;
}

} // namespace

node_outcome outcome_of(const parked_node& why) {
  switch (why.kind) {
  case parked_kind::lost_input:
  case parked_kind::corruption:
  case parked_kind::data_loss:
    return node_outcome::data_loss;
  default:
    return node_outcome::task_stopped;
  }
}

node_actor::node_actor(caf::actor_config& config,
                       std::shared_ptr<node_context> context,
                       node_options options)
    : stepping_actor(config), context_(std::move(context)),
      options_(std::move(options)),
      check_interval_(context_->settings.check_interval_or_default()),
      sync_interval_(context_->settings.sync_interval) {
  observe("node", context_->outside.log, context_->outside.handler_probe);
}

caf::behavior node_actor::make_behavior() {
  start_fencer();
  prepare();
  return {
      [](const continuation& step) { step.run(); },
      [this](const stop_node& x) { stop(node_outcome::stopped, x.reason); },
      [this](const commit_wanted& x) {
        for (auto& [index, lane] : lanes_)
          tell(lane.actor, x);
      },
      [this](const joined& x) { on_joined(x); },
      [this](const join_failed& x) {
        membership_gone();
        stop(x.why);
      },
      [this](const session_lost& x) { on_session_lost(x); },
      [this](const live_settings& x) { on_live_settings(x); },
      [this](const members_changed& x) {
        for (auto& [index, lane] : lanes_)
          tell(lane.actor, x);
      },
      [this](const task_waiting& x) { on_waiting(x); },
      [this](const task_restoring& x) {
        auto& task = tasks_[x.partition];
        task.restoring = true;
        task.held_elsewhere = false;
        task.waiting.clear();
      },
      [this](const task_progress& x) { on_progress(x); },
      [this](const drain_node& x) { start_drain(x); },
      [this](const ask_status& x) { x.answer(status()); },
      [this](const task_parked& x) { on_parked(x.partition, x.why); },
      [this](const node_failed& x) {
        stop(node_outcome::failed, x.why.text(), x.why.code());
      },
      [this](const task_suspect& x) { on_task_suspect(x); },
      [this](const lane_stopped& x) { on_lane_stopped(x); },
      [this](const lane_opened&) {
        if (!std::exchange(cluster_checked_, true))
          check_cluster();
      },
      [this](const left&) { membership_gone(); },
  };
}

void node_actor::on_exit() {
  // Whoever waits for the end hears of this one too.
  if (!death().empty())
    died();
  lanes_.clear();
  membership_ = nullptr;
  fencer_ = nullptr;
}

// -- start

void node_actor::stop(const error& why) {
  stop(outcome_of(why), why.text(), why.code());
}

void node_actor::prepare() {
  run_on(
      *context_->outside.run.net, {"topics.prepare", context_->stopping},
      [context = context_] {
        return prepare_topics(*context->outside.streams, context->job,
                              context->settings);
      },
      [this](result<topic_report>& topics) {
        if (stopping_)
          return;
        if (!topics)
          return stop(topics.error());
        partitions_ = topics->partitions;
        context_->memory =
            share_memory(context_->settings, partitions_,
                         static_cast<int>(context_->job.sources().size()));
        if (context_->settings.until_drained)
          take_targets();
        else
          join(false);
      });
}

void node_actor::take_targets() {
  find_ends([this](result<drain_targets>& found) {
    if (stopping_)
      return;
    if (!found)
      return stop(found.error());
    context_->targets = *found;
    add_goal(std::move(*found),
             [this](const result<void>& how) {
               if (how || how.error().code() != ec::closed)
                 finish_drained();
             },
             {});
    join(false);
  });
}

void node_actor::join(bool patient) {
  rejoining_ = false;
  membership_ = system().spawn<membership_actor>(
      context_, caf::actor_cast<caf::actor>(this), partitions_, patient, live_);
  adopt(membership_, [this](const std::string& why) { membership_died(why); });
}

void node_actor::on_joined(const joined& x) {
  if (stopping_)
    return;
  info_ = x.info;
  if (!paused_)
    start_lanes();
  start_sync_timer();
  if (std::exchange(started_, true))
    return;
  if (options_.on_joined)
    options_.on_joined(partitions_);
  progress_tick();
  group_tick();
  owners_tick();
  look_at_inputs();
}

void node_actor::start_lanes() {
  auto lanes = std::min(context_->settings.threads, partitions_);
  for (int lane = 0; lane < lanes; ++lane) {
    std::vector<int> partitions;
    for (int p = lane; p < partitions_; p += lanes)
      partitions.push_back(p);
    start_lane(std::move(partitions), false);
  }
}

void node_actor::start_lane(std::vector<int> partitions, bool solo,
                            std::map<int, task_history> histories) {
  lane_options options;
  options.index = next_lane_++;
  options.partitions = partitions;
  options.check_interval = check_interval_;
  options.solo = solo;
  options.histories = std::move(histories);
  for (auto p : partitions)
    tasks_[p].running = false;
  auto actor = system().spawn<lane_actor>(context_, info_,
                                          caf::actor_cast<caf::actor>(this),
                                          options_.factory, options);
  adopt(actor, [this, index = options.index](const std::string& why) {
    lane_died(index, why);
  });
  lanes_[options.index] = {actor, std::move(partitions), solo};
}

/// Rule L10; not before a producer is initialised: that makes the cluster
/// create its internal topics.
void node_actor::check_cluster() {
  using findings = std::vector<cluster_finding>;
  struct answer {
    result<findings> found;
    int brokers;
  };
  run_on(
      *context_->outside.run.net, {"cluster.check", context_->stopping},
      [context = context_]() -> answer {
        auto& streams = *context->outside.streams;
        return {streams.check_cluster({context->job.changelog()}),
                streams.broker_count().value_or(1)};
      },
      [this](answer& x) {
        if (!x.found) {
          log_warning("cluster.check", "why", to_string(x.found.error()));
          run_after(check_pause, [this] {
            if (!stopping_)
              check_cluster();
          });
          return;
        }
        for (auto& each : *x.found)
          log_warning("cluster.weak", "what", each.text, "cure", each.cure);
        if (!x.found->empty() && x.brokers >= 3 &&
            !context_->settings.allow_weak)
          stop(node_outcome::failed, x.found->front().text + ": " +
                                         x.found->front().cure +
                                         ", or start with --allow-weak");
      });
}

// -- while it runs

void node_actor::on_session_lost(const session_lost& x) {
  log_warning("node.session_lost", "why", x.reason);
  // Drop everything and join again under a new identity (design, section 5).
  rejoining_ = true;
  for (auto& [index, lane] : lanes_)
    tell_high(lane.actor, drop_lane{});
  membership_gone();
  if (lanes_.empty() && !stopping_)
    lanes_gone();
}

void node_actor::on_live_settings(const live_settings& x) {
  live_ = x.settings;
  auto check = x.settings.check_interval.value_or(
      context_->settings.check_interval_or_default());
  auto sync =
      x.settings.sync_interval.value_or(context_->settings.sync_interval);
  if (check != check_interval_) {
    log_info("config.check_interval", "value", format_duration(check));
    check_interval_ = check;
    for (auto& [index, lane] : lanes_)
      tell(lane.actor, set_check_interval{check});
  }
  if (sync != sync_interval_) {
    log_info("config.sync_interval", "value", format_duration(sync));
    sync_interval_ = sync;
    start_sync_timer();
  }
}

void node_actor::on_waiting(const task_waiting& x) {
  auto& task = tasks_[x.partition];
  task.running = false;
  task.restoring = false;
  task.held_elsewhere = x.held_elsewhere;
  if (x.parked)
    return on_parked(x.partition, x.parked);
  if (std::exchange(task.waiting, x.reason) != x.reason)
    log_info("task.waiting", "task", x.partition, "why", x.reason);
}

/// H28: the others go on; the operator decides about this one.
void node_actor::on_parked(int partition,
                           std::shared_ptr<const parked_node> why) {
  auto& task = tasks_[partition];
  task.running = false;
  task.waiting.clear();
  bool known = task.parked && is_same_stop(*task.parked, *why);
  task.parked = std::move(why);
  auto& parked = *task.parked;
  if (!known)
    log_error("task.parked", "task", partition, "kind", to_string(parked.kind),
              "at", place_of(parked), "why", parked.why, "cure",
              "see `resume --help`: resume " + std::to_string(partition) +
                  " [--skip | --dead-letter]");
  if (context_->settings.on_task_stop == task_stop_policy::exit)
    return stop(outcome_of(parked), "task " + std::to_string(partition) +
                                        " stopped: " + parked.why);
  check_drained();
}

void node_actor::on_task_suspect(const task_suspect& x) {
  // Who joins again starts a lane for every task.
  if (stopping_ || rejoining_ || paused_)
    return;
  log_warning("task.own_lane", "task", x.partition, "why", x.reason);
  for (auto& [index, lane] : lanes_)
    std::erase(lane.partitions, x.partition);
  start_lane({x.partition}, true, {{x.partition, x.history}});
}

void node_actor::on_progress(const task_progress& x) {
  auto& task = tasks_[x.partition];
  task.positions = x.positions;
  task.running = true;
  task.held_elsewhere = false;
  task.waiting.clear();
  task.parked = nullptr;
  check_drained();
}

void node_actor::start_sync_timer() {
  auto timer = ++sync_timer_;
  run_after(sync_interval_, [this, timer] { sync_tick(timer); });
}

void node_actor::sync_tick(std::uint64_t timer) {
  if (timer != sync_timer_ || stopping_)
    return;
  for (auto& [index, lane] : lanes_)
    tell(lane.actor, sync_due{});
  trim_hops();
  start_sync_timer();
}

/// First what the tasks hold, a moment later what the allocator does.
void node_actor::release_memory_of_all() {
  for (auto& [index, lane] : lanes_)
    tell(lane.actor, release_memory{});
  if (options_.on_idle)
    run_after(progress_period, [this] { options_.on_idle(); });
}

void node_actor::progress_tick() {
  if (stopping_)
    return;
  node_progress now;
  now.records = context_->counts.total().records;
  now.tasks = partitions_;
  for (auto& [partition, task] : tasks_) {
    now.running += task.running ? 1 : 0;
    if (!task.waiting.empty())
      now.waiting[partition] = task.waiting;
    if (task.parked)
      now.parked[partition] = task.parked->why;
  }
  for (auto& [partition, pulse] : context_->pulses.all())
    if (auto call = pulse->running(context_->outside.world->steady_ns());
        call && call->ns > shown_call.count())
      now.in_call[partition] = describe(*call, context_->job, partition);
  if (options_.on_progress)
    options_.on_progress(now);
  if (idle_.look(now.records, now.running))
    release_memory_of_all();
  look_at_others();
  run_after(progress_period, [this] { progress_tick(); });
}

} // namespace weir
