// What a task sends: outputs, changelog records and dead letters, in order and
// into the right transaction (rules L1, L5).
#pragma once

#include <memory>

#include "actors/send/lane_producers.hpp"
#include "actors/send/send_queue.hpp"
#include "weir/error.hpp"

namespace weir {

/// Owned by one task, used on its actor's thread. Never blocks: what a producer
/// does not take waits here, and the task pauses while `is_full`.
///
/// Three stages: *staged* (of the record being processed, can be undone),
/// *ready* (waits for room in the producer's queue), *held* (emitted after a
/// seal or before the first begin, waits for the next begin).
class outbox {
public:
  /// `plain_outputs`: so many outputs, the first, go beside the transaction.
  outbox(int plain_outputs, std::size_t held_limit)
      : plain_outputs_(plain_outputs), held_limit_(held_limit) {}

  /// Begin of a transaction: what was held goes into it.
  /// Errors: as `producer::send`, but for `queue_full`.
  result<void> begin(std::shared_ptr<lane_producers> producers);
  /// The seal: what goes through the transaction waits from now on.
  void hold() noexcept { holding_ = true; }

  /// One output or dead letter of the record being processed.
  void stage(const queued_record& x) { staged_.push(x); }
  /// Whether its topic takes it; fills its topic in. Errors: `too_large`.
  result<void> fits(queued_record& x) const;
  /// The record is done: its outputs go on.
  result<void> accept();
  void release_spare() {
    staged_.release_spare();
    ready_.release_spare();
    held_.release_spare();
  }
  /// The record is undone: its outputs never were.
  void discard() noexcept { staged_.clear(); }

  /// Sends into the running transaction even behind the seal: the changelog.
  result<void> send_sealed(queued_record& x);
  /// Tries to send what is ready; true when nothing waits for room any more.
  result<bool> pump();

  /// Nothing follows soon: what was sent need not wait for it. In a transaction
  /// the commit does that.
  void hasten() noexcept {
    if (std::exchange(lingers_, false) && producers_)
      producers_->plain->handle->hasten();
  }

  /// Closes the commit's count of outputs (at-least-once); `done` is called
  /// when all are acknowledged, from any thread.
  void close_outputs(output_acks::callback done);

  bool is_full() const noexcept {
    return !ready_.empty() || held_.bytes() >= held_limit_ || wants_commit();
  }
  /// The open transaction is as large as it may become: nothing is processed
  /// until it is committed.
  bool wants_commit() const noexcept {
    return producers_ && producers_->transactional.handle->wants_commit();
  }
  /// Whether anything was emitted since `mark_sealed`.
  bool has_emitted() const noexcept { return emitted_; }
  void mark_sealed() noexcept { emitted_ = false; }
  /// Nothing is waiting for room in the producer's queue.
  bool is_drained() const noexcept { return ready_.empty(); }
  lane_producers* producers() const noexcept { return producers_.get(); }

private:
  bool is_plain(target to) const noexcept {
    return to >= target::first_output &&
           static_cast<int>(to) < plain_outputs_;
  }
  result<void> route(queued_record& x);
  /// False: no room now.
  result<bool> try_send(queued_record& x);
  result<bool> try_shortened(queued_record dead_letter);
  result<bool> try_as_it_is(queued_record& x);
  bound_producer& producer_for(target to) const;

  std::shared_ptr<lane_producers> producers_;
  std::shared_ptr<output_acks> acks_;
  send_queue staged_;
  send_queue ready_;
  send_queue held_;
  int plain_outputs_;
  bool holding_ = true;
  bool emitted_ = false;
  /// Something was sent outside of a transaction since the last `hasten`.
  bool lingers_ = false;
  std::size_t held_limit_;
};

} // namespace weir
