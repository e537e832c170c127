// A lane and the claims of its tasks (rules C1 to C4, C7, H12, H18, S2).
#include "actors/claim/claim_writer.hpp"
#include "actors/lane/lane.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

constexpr milliseconds retry_pause{200};

bool may_pass(const error& why) {
  return why.code() == ec::disconnected || why.code() == ec::timed_out ||
         why.code() == ec::unknown_outcome;
}

} // namespace

lane_actor::hosted* lane_actor::find(int partition, std::uint64_t attempt) {
  auto i = tasks_.find(partition);
  return i == tasks_.end() || i->second.attempt != attempt ? nullptr
                                                           : &i->second;
}

void lane_actor::watch_claim(int partition) {
  auto attempt = tasks_.at(partition).attempt;
  auto again = [self = weak_self(), this, partition, attempt] {
    self.tell(continuation{[this, partition, attempt] {
      if (find(partition, attempt) != nullptr)
        watch_claim(partition);
    }});
  };
  auto path = znode_paths{context_->job.name()}.claim(partition);
  info_->session->get(
      path, again,
      reply<result<znode>>([this, partition, attempt](result<znode> node) {
        if (find(partition, attempt) != nullptr)
          check_claim(partition, std::move(node));
      }));
}

void lane_actor::check_claim(int partition, result<znode> node) {
  auto& mine = tasks_.at(partition);
  if (!machine_.hosts(partition))
    return;
  // Not knowing is not losing: the fence protects. The watch was not set.
  if (!node && node.error().code() != ec::not_found)
    return run_after(retry_pause, [this, partition, attempt = mine.attempt] {
      if (find(partition, attempt) != nullptr)
        watch_claim(partition);
    });
  auto found =
      node ? decode_claim(node->data) : result<claim_node>{fail(node.error())};
  // While a write is on its way the znode may be ahead of what we know; its
  // answer decides.
  if (mine.writing)
    return;
  if (found && is_still_held(*found, mine.claim)) {
    // C3: a write of ours whose reply was lost.
    mine.claim = *found;
    mine.version = node->stat.version;
    return;
  }
  auto by = found ? to_string(found->process) + " (member " + found->member +
                        ", epoch " + std::to_string(found->epoch) + ")"
                  : std::string{"nobody: its claim was removed"};
  log_warning("task.replaced", "task", partition, "by", by);
  fail_lane("task " + std::to_string(partition) + " was replaced by " + by);
}

void lane_actor::write_hosted(int partition,
                              std::function<void(claim_node&)> change,
                              std::function<void(bool)> then) {
  auto& task = tasks_.at(partition);
  if (task.writing) {
    task.waiting.push_back([this, partition, change = std::move(change),
                            then = std::move(then)] {
      write_hosted(partition, change, then);
    });
    return;
  }
  task.writing = true;
  auto claim = task.claim;
  change(claim);
  write_claim(
      info_->session, znode_paths{context_->job.name()}.claim(partition),
      task.version, claim,
      reply<result<std::int32_t>>([this, partition, attempt = task.attempt,
                                   claim, change, then](auto version) {
        auto* task = find(partition, attempt);
        if (task == nullptr)
          return;
        task->writing = false;
        if (version) {
          task->claim = claim;
          task->version = *version;
        } else {
          log_warning("claim.write", "task", partition, "why",
                      to_string(version.error()));
          // C3: what became of it is resolved by writing again by version.
          if (may_pass(version.error()))
            return run_after(retry_pause,
                             [this, partition, attempt, change, then] {
                               if (find(partition, attempt) != nullptr)
                                 write_hosted(partition, change, then);
                             });
        }
        then(version.has_value());
        // What was asked for meanwhile; `then` may have ended the task.
        task = find(partition, attempt);
        if (task == nullptr || task->waiting.empty())
          return;
        auto next = std::move(task->waiting.front());
        task->waiting.pop_front();
        next();
      }));
}

void lane_actor::mark_born(int partition) {
  if (tasks_.at(partition).writing)
    return;
  // A failure shows in the claim's watch, or the next commit tries again.
  write_hosted(
      partition, [](claim_node& x) { x.born = true; },
      [this, partition](bool done) {
        // The watch that fired meanwhile was not heeded.
        if (!done && machine_.hosts(partition))
          watch_claim(partition);
      });
}

/// H12: for the fresh id, as it was held. The watch sees who was quicker.
void lane_actor::perform(const machine::move_claim& x) {
  if (tasks_.count(x.partition) == 0 || !successor_)
    return;
  write_hosted(
      x.partition,
      [this, id = successor_->id](claim_node& claim) {
        claim.producer_id = id;
        ++claim.epoch;
        claim.member = info_->member;
      },
      [this, x](bool done) {
        if (!done) {
          log_warning("task.replaced", "task", x.partition, "by",
                      "a claim set while its lane's id was retired");
          tell(node_, task_waiting{x.partition, "its claim was lost"});
        }
        act(machine_.claim_moved(x.partition, x.id, done));
      });
}

/// H28: who is past the record has carried the decision out; where it was about
/// none, who processes again.
void lane_actor::settle_decision(int partition,
                                 const std::vector<std::int64_t>& at) {
  auto& task = tasks_.at(partition);
  if (!task.decision)
    return;
  auto& inputs = context_->job.sources();
  auto is_before = [&](const std::string& topic, std::int64_t offset) {
    for (std::size_t i = 0; i < std::min(inputs.size(), at.size()); ++i)
      if (context_->job.topic(inputs[i]) == topic && at[i] <= offset)
        return true;
    return false;
  };
  // Gaps were crossed before the first record, all of them, or are none now.
  if (task.decision->has_record() &&
      task.decision->kind != parked_kind::lost_input &&
      is_before(task.decision->topic, task.decision->offset))
    return;
  for (auto& each : task.decision->kept)
    if (!each.is_gap() && is_before(each.topic, each.offset))
      return;
  log_info("task.resumed", "task", partition, "decision",
           to_string(task.decision->decision), "at",
           place_of(*task.decision));
  // If this fails, the next owner sees that it is past the record.
  info_->session->remove(
      znode_paths{context_->job.name()}.parked(partition),
      task.decision_version, reply<result<void>>([partition](result<void> x) {
        if (!x)
          log_warning("task.parked_node", "task", partition, "why",
                      to_string(x.error()));
      }));
  task.decision.reset();
}

} // namespace weir
