// A lane and the claims of its tasks (rules C1 to C4, C7, L4, S2).
#include "actors/claim_writer.hpp"
#include "actors/lane.hpp"
#include "runtime/log.hpp"

namespace weir {

namespace {

constexpr milliseconds retry_pause{200};
constexpr milliseconds fence_limit{10'000};

} // namespace

void lane_actor::watch_claim(int partition) {
  auto life = life_;
  auto again = [self = weak_self(), this, life, partition] {
    self.tell(continuation{[this, life, partition] {
      if (life == life_ && !ending_)
        watch_claim(partition);
    }});
  };
  auto path = znode_paths{context_->job.name()}.claim(partition);
  info_->session->get(
      path, again,
      reply<result<znode>>([this, life, partition](result<znode> node) {
        if (life == life_ && !ending_)
          check_claim(partition, std::move(node));
      }));
}

void lane_actor::check_claim(int partition, result<znode> node) {
  auto i = tasks_.find(partition);
  if (i == tasks_.end())
    return;
  // Not knowing is not losing: the fence protects. The watch was not set.
  if (!node && node.error().code() != ec::not_found) {
    auto life = life_;
    return run_after(retry_pause, [this, life, partition] {
      if (life == life_ && !ending_)
        watch_claim(partition);
    });
  }
  auto found =
      node ? decode_claim(node->data) : result<claim_node>{fail(node.error())};
  auto& mine = i->second;
  if (found && found->member == info_->member &&
      found->epoch >= mine.claim.epoch && !found->released) {
    // C3: a write of ours whose reply was lost.
    if (!mine.writing && found->producer_id == mine.claim.producer_id &&
        found->epoch == mine.claim.epoch) {
      mine.claim = *found;
      mine.version = node->stat.version;
    }
    return;
  }
  auto by = found ? to_string(found->process) + " (member " + found->member +
                        ", epoch " + std::to_string(found->epoch) + ")"
                  : std::string{"nobody: its claim was removed"};
  log_warning("task.replaced", "task", partition, "by", by);
  tell(node_, task_waiting{partition, "replaced by " + by});
  fail_lane("task " + std::to_string(partition) + " was replaced by " + by,
            std::nullopt);
}

void lane_actor::write_hosted(int partition, claim_node claim,
                              std::function<void(bool)> then) {
  auto life = life_;
  auto& task = tasks_[partition];
  task.writing = true;
  write_claim(info_->session,
              znode_paths{context_->job.name()}.claim(partition), task.version,
              claim,
              reply<result<std::int32_t>>([this, life, partition, claim,
                                           then](result<std::int32_t> version) {
                auto i = tasks_.find(partition);
                if (life != life_ || i == tasks_.end())
                  return;
                i->second.writing = false;
                if (version) {
                  i->second.claim = claim;
                  i->second.version = *version;
                } else {
                  log_warning("claim.write", "task", partition, "why",
                              to_string(version.error()));
                }
                then(version.has_value());
              }));
}

void lane_actor::mark_born(int partition) {
  auto& task = tasks_[partition];
  if (task.writing)
    return;
  auto claim = task.claim;
  claim.born = true;
  // A failure shows in the claim's watch, or the next commit tries again.
  write_hosted(partition, claim, [](bool) {});
}

/// L4: a delayed copy of the last EndTxn could end the next transaction. Fence
/// the id, claim the tasks for a fresh one, go on without a restore.
void lane_actor::retire_current_id() {
  end_bring_ups();
  auto life = life_;
  run_on(
      *context_->outside.run.net, "producer.retire",
      [context = context_, id = fresh_id(), old = producers_->id,
       interval = options_.check_interval,
       plain = producers_->plain]() -> result<std::shared_ptr<lane_producers>> {
        auto opened = open_producers(context, id, interval, plain);
        if (!opened)
          return opened;
        auto fenced = context->outside.streams->fence(old, fence_limit);
        if (!fenced)
          return fail(fenced.error());
        context->knowledge.add_fenced(old);
        return opened;
      },
      [this, life](result<std::shared_ptr<lane_producers>>& opened) {
        if (life != life_ || ending_)
          return context_->discard(opened ? std::move(*opened) : nullptr);
        if (!opened)
          return fail_lane("retiring the producer id: " +
                               to_string(opened.error()),
                           std::nullopt);
        successor_ = std::move(*opened);
        claim_again();
      });
}

void lane_actor::claim_again() {
  for (auto& [partition, task] : tasks_)
    if (task.writing) {
      auto life = life_;
      return run_after(milliseconds{20}, [this, life] {
        if (life == life_ && !ending_)
          claim_again();
      });
    }
  auto open = [this] {
    retire(producers_);
    producers_ = std::exchange(successor_, nullptr);
    start_timer();
    act(machine_.opened());
    for (auto partition : options_.partitions)
      bring_up(partition);
  };
  pending_ = tasks_.size();
  if (pending_ == 0)
    return open();
  for (auto& [partition, task] : tasks_) {
    auto claim = task.claim;
    claim.producer_id = successor_->id;
    ++claim.epoch;
    write_hosted(partition, claim, [this, open](bool done) {
      if (ending_)
        return;
      if (!done)
        return fail_lane("a claim could not be set for the fresh producer id",
                         std::nullopt);
      if (--pending_ == 0)
        open();
    });
  }
}

/// C2: the last commit has succeeded and is applied, the databases are closed.
/// Whatever the reply, the tasks are gone from here on.
void lane_actor::release_claims() {
  releasing_ = true;
  pending_ = tasks_.size();
  // Without a session no claim can be released: the next owner fences.
  if (pending_ == 0 || dropped_)
    return finish();
  for (auto& [partition, task] : tasks_)
    if (task.writing)
      return run_after(milliseconds{20}, [this] {
        if (!finished_)
          release_claims();
      });
  for (auto& [partition, task] : tasks_) {
    auto claim = task.claim;
    claim.released = true;
    claim.born |= task.committed;
    write_hosted(partition, claim, [this](bool) {
      if (--pending_ == 0)
        finish();
    });
  }
}

} // namespace weir
