// Bringing the state of a claimed task back, and its inputs.
#include "actors/bring_up/bring_up.hpp"
#include "actors/bring_up/stalled_inputs.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

/// Opening repairs, finishing reads the whole state.
constexpr milliseconds restore_limit{600'000};

} // namespace

template <class Step, class Next>
void bring_up_actor::restore_step(executor& where, const char* name, Step step,
                                  Next next) {
  run_on(
      where, {name, restore_limit, token_},
      [restore = restore_, step] { return step(*restore); },
      [this, next](auto& outcome) {
        if (!outcome)
          return give_up(failure_place::restore, outcome.error());
        next(outcome);
      });
}

void bring_up_actor::restore() {
  held_ = true;
  log_info("task.claimed", "task", partition_, "epoch", current_->epoch,
           "producer", producer_id_);
  tell(lane_, bring_up_restores{partition_, attempt_});
  restore_ = std::make_shared<task_restore>(context_, partition_, *current_,
                                            info_->job);
  restore_->decided(decision_);
  auto& run = context_->outside.run;
  restore_step(
      *run.disk, "restore.open",
      [damaged = damaged_, room = room_](task_restore& x) {
        return x.open(damaged, room);
      },
      [this, &run](result<void>&) {
        restore_step(
            *run.net, "restore.locate",
            [](task_restore& x) { return x.locate(); },
            [this](result<void>&) { read(); });
      });
}

void bring_up_actor::read() {
  restore_step(
      *context_->outside.run.disk, "restore.read",
      [](task_restore& x) { return x.read_some(); },
      [this](result<bool>& at_target) {
        if (*at_target)
          return look();
        // C6: a restore that does not end is visible.
        auto progress = restore_->progress();
        if (progress != last_reason_)
          blocked_ = milliseconds{0};
        else if ((blocked_ += milliseconds{100}) >=
                 context_->settings.patience) {
          blocked_ = milliseconds{0};
          auto reason = "restore blocked, perhaps by a hanging transaction: " +
                        progress + "; its producer is a lane's: " +
                        find_hanging(context_->settings,
                                     context_->job.changelog(), partition_);
          log_warning("task.restore_blocked", "task", partition_, "why",
                      reason);
          tell(lane_, bring_up_waits{partition_, attempt_, reason});
        }
        last_reason_ = progress;
        read();
      });
}

/// R12: `look` found that the claim still holds, with a watch on it.
void bring_up_actor::confirm() {
  if (restored_)
    return settle();
  finish();
}

void bring_up_actor::finish() {
  restore_step(
      *context_->outside.run.disk, "restore.finish",
      [](task_restore& x) { return x.finish(); },
      [this](result<void>&) {
        restored_ = true;
        settle();
      });
}

/// C4: set the claim again, above every epoch seen.
void bring_up_actor::settle() {
  auto highest = restore_->highest_epoch();
  if (current_->epoch > highest)
    return open_inputs();
  write(highest + 1);
}

void bring_up_actor::open_inputs() {
  restore_step(
      *context_->outside.run.net, "restore.inputs",
      [](task_restore& x) { return x.open_inputs(); },
      [this](result<void>&) { prepare_decision(); });
}

/// H28: the topic of dead letters is opened only where one may be written.
void bring_up_actor::prepare_decision() {
  if (!decision_ || !writes_dead_letters(*decision_) ||
      context_->settings.on_bad_record == bad_record_policy::dead_letter)
    return done();
  context_->members.want_dead_letters();
  run_on(
      *context_->outside.run.net, {"dead-letter.open", token_},
      [producers = producers_, topic = context_->job.dead_letter()] {
        return producers->transactional.handle->open_topic(topic);
      },
      [this](result<topic_ref>& topic) {
        if (!topic)
          return give_up(failure_place::restore, topic.error());
        producers_->transactional.dead_letter = *topic;
        done();
      });
}

void bring_up_actor::done() {
  auto restored = restore_->take();
  restore_.reset();
  restored->claim = *current_;
  restored->claim_version = version_;
  restored->decision = decision_;
  restored->decision_version = decision_version_;
  tell(lane_, brought_up{partition_, attempt_, std::move(restored)});
  quit();
}

} // namespace weir
