// How a lane's life begins and ends (rules L2, L3, L8, L9).
#include "actors/bring_up.hpp"
#include "actors/lane.hpp"
#include "runtime/log.hpp"

namespace weir {

namespace {

constexpr milliseconds first_pause{100};
constexpr milliseconds longest_pause{5'000};
/// So that a small T_c can change without another producer.
constexpr milliseconds least_interval{1'000};
/// Rule L8.
constexpr int failures_before_solo = 3;

result<std::unique_ptr<producer>> open_bound(node_context& context,
                                             const producer_options& options,
                                             bound_producer& out) {
  auto& streams = *context.outside.streams;
  auto opened = streams.open_producer(options);
  if (!opened)
    return fail(opened.error());
  for (auto& declared : context.job.outputs()) {
    auto topic = (*opened)->open_topic(context.job.topic(declared));
    if (!topic)
      return fail(topic.error());
    out.outputs.push_back(*topic);
  }
  if (options.transactional_id.empty())
    return opened;
  auto changelog = (*opened)->open_topic(context.job.changelog());
  if (!changelog)
    return fail(changelog.error());
  out.changelog = *changelog;
  if (context.settings.on_bad_record == bad_record_policy::dead_letter) {
    auto letters = (*opened)->open_topic(context.job.dead_letter());
    if (!letters)
      return fail(letters.error());
    out.dead_letter = *letters;
  }
  return opened;
}

} // namespace

std::string lane_actor::fresh_id() {
  return producer_prefix(context_->job.name()) +
         random_id(*context_->outside.world);
}

result<std::shared_ptr<lane_producers>>
lane_actor::open_producers(const std::shared_ptr<node_context>& context,
                           std::string id, milliseconds interval,
                           std::shared_ptr<bound_producer> plain) {
  auto& settings = context->settings;
  auto out = std::make_shared<lane_producers>();
  out->id = std::move(id);
  out->longest_interval = std::max(interval, least_interval);
  producer_options options;
  options.transactional_id = out->id;
  options.transaction_timeout =
      settings.transaction_timeout(out->longest_interval);
  options.linger = settings.producer_linger;
  options.queue_bytes = settings.producer_bytes;
  auto transactional = open_bound(*context, options, out->transactional);
  if (!transactional)
    return fail(transactional.error());
  out->transactional.handle = std::move(*transactional);
  if (settings.guarantee == guarantee::at_least_once && !plain) {
    plain = std::make_shared<bound_producer>();
    options.transactional_id.clear();
    auto opened = open_bound(*context, options, *plain);
    if (!opened)
      return fail(opened.error());
    plain->handle = std::move(*opened);
  }
  out->plain = std::move(plain);
  return out;
}

void lane_actor::open_life() {
  if (stopping_)
    return finish();
  ending_ = false;
  auto life = ++life_;
  // Numbers go on: what an earlier life's producer still answers is void.
  machine_ = lane_machine{machine_.transaction()};
  machine_.at_least_once =
      context_->settings.guarantee == guarantee::at_least_once;
  run_on(
      *context_->outside.run.net, "producer.open",
      [context = context_, id = fresh_id(),
       interval = options_.check_interval] {
        return open_producers(context, id, interval, nullptr);
      },
      [this, life](result<std::shared_ptr<lane_producers>>& opened) {
        if (life != life_)
          return context_->discard(opened ? std::move(*opened) : nullptr);
        if (opened)
          return life_opened(std::move(*opened));
        log_warning("lane.producer", "lane", options_.index, "why",
                    to_string(opened.error()));
        // The embedded log after a failed write: the same until a restart.
        if (opened.error().code() == ec::closed && !options_.partitions.empty())
          tell(node_, task_stopped{options_.partitions.front(), opened.error(),
                                   false});
        for (auto partition : options_.partitions)
          tell(node_, task_waiting{partition, to_string(opened.error())});
        if (stopping_)
          return finish();
        auto pause =
            std::min(longest_pause, first_pause * (1 << lives_failed_));
        lives_failed_ = std::min(lives_failed_ + 1, 6);
        run_after(pause, [this, life] {
          if (life == life_)
            open_life();
        });
      });
}

void lane_actor::life_opened(std::shared_ptr<lane_producers> producers) {
  producers_ = std::move(producers);
  log_info("lane.opened", "lane", options_.index, "producer", producers_->id);
  if (stopping_) {
    drop_producers();
    return finish();
  }
  tell(node_, lane_opened{});
  act(machine_.opened());
  start_timer();
  for (auto partition : options_.partitions)
    bring_up(partition);
}

void lane_actor::bring_up(int partition) {
  if (stopping_ || ending_ || !producers_ || tasks_.count(partition) > 0)
    return;
  auto attempt = next_attempt_++;
  bring_ups_[partition] = {system().spawn<bring_up_actor>(
                               context_, info_,
                               caf::actor_cast<caf::actor>(this),
                               bring_up_task{partition, attempt, producers_->id,
                                             damaged_.count(partition) > 0}),
                           attempt};
}

void lane_actor::bring_up_later(int partition, milliseconds pause) {
  auto life = life_;
  run_after(pause, [this, life, partition] {
    if (life == life_ && bring_ups_.count(partition) == 0)
      bring_up(partition);
  });
}

void lane_actor::end_bring_ups() {
  for (auto& [partition, started] : bring_ups_)
    end_actor(started.actor);
  bring_ups_.clear();
}

void lane_actor::blame(int partition, const std::string& reason) {
  auto count = ++failures_[partition];
  log_warning("task.failed", "task", partition, "in_a_row", count, "why",
              reason);
  if (count < failures_before_solo)
    return bring_up_later(partition, first_pause * (1 << count));
  if (options_.solo) {
    tell(node_,
         task_stopped{partition,
                      error{ec::task_failed,
                            reason + " (failed " + std::to_string(count) +
                                " times in a row in a lane of its own)"},
                      false});
    return;
  }
  // L8: it must not drag the others of its lane down again.
  std::erase(options_.partitions, partition);
  tell(node_, task_suspect{partition, reason});
}

void lane_actor::give_up(const std::string& reason,
                         std::optional<int> culprit) {
  log_warning("lane.given_up", "lane", options_.index, "why", reason);
  if (culprit)
    blame(*culprit, reason);
  end_tasks(false);
}

void lane_actor::end_tasks(bool clean) {
  ending_ = true;
  ends_clean_ = clean;
  end_bring_ups();
  for (auto& [partition, task] : tasks_)
    if (!task.gone)
      tell_high(task.actor, end_task{clean});
  all_gone();
}

void lane_actor::on_task_gone(const task_gone& x) {
  auto i = tasks_.find(x.partition);
  if (i == tasks_.end())
    return;
  i->second.gone = true;
  if (!ending_)
    return fail_lane("task " + std::to_string(x.partition) + " ended",
                     x.partition);
  all_gone();
}

/// Every database of the life that ends is closed: release or start anew.
void lane_actor::all_gone() {
  for (auto& [partition, task] : tasks_)
    if (!task.gone)
      return;
  // C2: after a failed last commit nothing is released, and the next owner
  // fences this id: the commit may still happen.
  if (stopping_ && ends_clean_)
    return release_claims();
  tasks_.clear();
  drop_producers();
  if (stopping_)
    return finish();
  ++life_;
  auto life = life_;
  auto pause =
      lives_failed_ == 0
          ? milliseconds{0}
          : std::min(longest_pause, first_pause * (1 << lives_failed_));
  lives_failed_ = std::min(lives_failed_ + 1, 6);
  if (options_.partitions.empty())
    return finish();
  run_after(pause, [this, life] {
    if (life == life_)
      open_life();
  });
}

void lane_actor::drop_producers() {
  retire(producers_);
  // C3: a claim may name it already.
  retire(successor_);
}

void lane_actor::retire(std::shared_ptr<lane_producers>& x) {
  if (!x)
    return;
  context_->knowledge.add_retired(x->id);
  context_->discard(std::exchange(x, nullptr));
}

void lane_actor::finish() {
  if (std::exchange(finished_, true))
    return;
  drop_producers();
  tell(node_, lane_stopped{options_.index});
  quit();
}

} // namespace weir
