// A task without its mailbox: stores, positions, what is sent, and the two task
// sides of a commit: seal and apply (design, section 4).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "actors/base/node_context.hpp"
#include "actors/send/outbox.hpp"
#include "actors/task/key_watch.hpp"
#include "actors/task/restored_task.hpp"
#include "actors/task/wiring.hpp"
#include "runtime/base/assert.hpp"
#include "stores/kv/task_state.hpp"
#include "weir/detail/handler.hpp"
#include "weir/detail/task_parts.hpp"
#include "weir/topic.hpp"

namespace weir {

/// What became of one record.
enum class record_fate {
  /// Processed, or skipped or dead-lettered by the policy.
  consumed,
  /// Below the position: read again on purpose (R5) or by a client's mistake.
  ignored,
  /// Bad, and the policy is `fail`: nothing of it is kept, the position stays.
  refused,
};

/// Owned by the task actor, on its thread. A failed incarnation is destroyed
/// and built anew (rule L3): nothing here survives it.
class task_core final : public detail::task_parts {
public:
  task_core(std::shared_ptr<node_context> context,
            std::shared_ptr<restored_task> restored);

  // -- the task's constructor

  detail::store_core& open_store(const part& what) override;
  int open_topic(const part& what) override;
  void handle(const part& what, std::unique_ptr<detail::handler> by) override;
  void wired() override;
  const detail::task_place& place() const noexcept override { return place_; }

  int partition() const noexcept { return restored_->partition; }
  task_state& state() noexcept { return state_; }
  outbox& out() noexcept { return out_; }
  restored_task& restored() noexcept { return *restored_; }
  const node_context& context() const noexcept { return *context_; }
  turn_ledger& turns() noexcept { return context_->turns; }
  pulse_board& pulses() noexcept { return context_->pulses; }

  // -- one record

  /// Gives `x` to its input's handler and keeps or undoes what that does.
  /// Errors: of sending (the lane is given up), `data_loss` where the input is
  /// not the one whose positions these are (R5). Lets exceptions of the handler
  /// through after undoing.
  result<record_fate> consume(std::size_t input, const record& x) {
    auto& position = restored_->inputs[input].position;
    if (x.offset() < position.next_offset)
      return look_back(input, x);
    current_ = &x;
    current_input_ = input;
    rejection_.reset();
    state_.begin_record();
    if (is_decided(input, x.offset())) [[unlikely]] {
      reject(decided_.front().what.why);
    } else if (x.value() &&
               x.value()->size() > context_->settings.max_record_bytes)
        [[unlikely]] {
      reject("the record is larger than --max-record-bytes");
    } else {
      try {
        if (!handlers_[input]->call(x, why_)) [[unlikely]]
          reject(why_);
        if (careful_ && !rejection_) [[unlikely]]
          check_changes();
      } catch (...) {
        undo();
        throw;
      }
    }
    if (rejection_) [[unlikely]]
      return handle_bad(input, x);
    state_.accept_record();
    current_ = nullptr;
    if (auto sent = out_.accept(); !sent) [[unlikely]]
      return fail(sent.error());
    position.next_offset = x.offset() + 1;
    ++count_.records;
    return record_fate::consumed;
  }
  /// After the last of a run of `consume`: remembers its fingerprint (R2).
  void remember(std::size_t input, const record& last);
  /// The reader is past markers behind the last record.
  void advance(std::size_t input, std::int64_t next_offset);
  /// Whether what is not committed yet ends `--until-drained` for this task.
  bool completes_drain() const;
  /// The input with a record that the operator has decided about and that is
  /// not passed yet. It goes first, and its commit too (H28): nothing that
  /// stops the task again comes between the decision and what it does.
  std::optional<std::size_t> decided_input() {
    if (decided_.empty()) [[likely]]
      return std::nullopt;
    // What follows may have been read where the record itself is gone.
    find_decided();
    if (decided_.empty())
      return std::nullopt;
    return decided_input_;
  }
  /// Before this record is processed, all that was read has to be committed by
  /// itself: an earlier incarnation failed at it, or a record was passed as the
  /// operator decided. Timers may have gone on meanwhile: no commit would ever
  /// hold everything.
  bool must_commit_before(std::size_t input, const record& x) {
    if (!passed_decided_ && x.offset() < suspects_[input]) [[likely]]
      return false;
    if (positions() != committed_)
      return true;
    passed_decided_ = false;
    if (x.offset() >= suspects_[input])
      suspects_[input] = INT64_MAX;
    return false;
  }

  /// The record being processed is bad; its effects will be undone.
  void reject(std::string_view reason,
              parked_kind kind = parked_kind::bad_record) {
    rejection_ = reason.empty() ? "rejected" : reason.substr(0, reason_bytes);
    rejection_kind_ = kind;
  }
  /// Why the last record was refused: topic, partition, offset, reason.
  const std::string& refusal() const noexcept { return refusal_; }
  /// The same as a kind: what the record leads to may be too large.
  parked_kind refusal_kind() const noexcept { return rejection_kind_; }

  /// Sends an output: staged while a record is processed, else at once.
  /// Throws `store_error` after `close`.
  void emit(int output, const detail::raw_side& key,
            const detail::raw_side& value, const emit_options& how) override;
  /// @pre a record is being processed
  const record& current() const noexcept {
    WEIR_ASSERT(current_ != nullptr, "current() belongs into a handler");
    return *current_;
  }

  // -- commit

  void begin(std::shared_ptr<lane_producers> producers, std::uint64_t epoch);
  /// Puts changed keys and the commit record into the transaction. False: there
  /// is nothing to commit. Errors: of sending, `send_problem` too, of the
  /// store.
  result<bool> seal(bool forced);
  /// The sealed commit is durable: writes it to the database.
  result<void> apply();
  /// Of the commit that will hold what is done now: the same in every
  /// incarnation until that commit succeeds.
  std::string commit_id() const;
  /// No commit follows: emit and put are refused from now on (rule C2).
  void close();

  /// Next offset of each input.
  std::vector<std::int64_t> positions() const;
  /// Whether something was processed or emitted that no applied commit holds.
  bool uncommitted() const;
  /// Positions as of the last applied commit, per input.
  const std::vector<std::int64_t>& committed() const noexcept {
    return committed_;
  }
  /// Whether something was emitted to an internal topic since the last call.
  bool take_hop_written() noexcept {
    return std::exchange(hop_written_, false);
  }
  /// Called by an emit outside of a record that waits for room or failed.
  void set_wake(std::function<void()> x) { wake_ = std::move(x); }
  /// Error of such an emit, where none can be returned: no commit may succeed
  /// without the output.
  const std::optional<error>& send_problem() const noexcept {
    return send_problem_;
  }

private:
  /// More of a reason is not kept: it becomes a header and a log line.
  static constexpr std::size_t reason_bytes = 1000;

  struct sealed_commit {
    commit_record record;
    std::shared_ptr<commit_slot> slot;
  };

  void find_hop_sources();
  void check_source(std::size_t target) const;
  /// H28: the operator has decided to pass this record.
  bool is_decided(std::size_t input, std::int64_t offset) const noexcept {
    return offset == decided_offset_ && input == decided_input_;
  }
  /// Leaves those out that are passed.
  void find_decided();
  bad_record_policy policy_for(std::size_t input, const record& x) const;
  result<record_fate> look_back(std::size_t input, const record& x);
  result<record_fate> handle_bad(std::size_t input, const record& x);
  /// What the record changed must fit into the changelog, and be this task's.
  void check_changes();
  void undo();
  void stage_dead_letter(const record& x);
  bool has_moved() const;
  result<void> send_change(std::string_view header_value, std::string_view key,
                           std::optional<std::string_view> value,
                           std::shared_ptr<commit_slot> slot = nullptr);

  std::shared_ptr<node_context> context_;
  std::shared_ptr<restored_task> restored_;
  detail::task_place place_;
  wiring wiring_;
  key_watch keys_;
  /// What each record changes is looked at.
  bool careful_;
  /// By input.
  std::vector<std::unique_ptr<detail::handler>> handlers_;
  /// Of the record that does not decode.
  std::string why_;
  task_state state_;
  outbox out_;
  const record* current_ = nullptr;
  std::size_t current_input_ = 0;
  /// By internal topic and input.
  std::vector<std::vector<bool>> hop_sources_;
  bool hop_written_ = false;
  std::optional<std::string> rejection_;
  parked_kind rejection_kind_ = parked_kind::bad_record;
  std::string refusal_;
  struct decided_record {
    std::size_t input;
    open_decision what;
  };
  /// Not passed yet, by offset.
  std::vector<decided_record> decided_;
  /// The first of those; -1 = none.
  std::size_t decided_input_ = 0;
  std::int64_t decided_offset_ = -1;
  /// That record was passed, and no commit is known to have passed it.
  bool passed_decided_ = false;
  std::uint64_t epoch_ = 0;
  std::uint64_t sequence_ = 0;
  /// The number of the last commit sealed.
  std::uint64_t commits_ = 0;
  std::uint64_t previous_checksum_ = 0;
  std::optional<sealed_commit> sealed_;
  std::vector<std::int64_t> sealed_positions_;
  std::vector<std::int64_t> committed_;
  /// An offset per input; INT64_MAX: none.
  std::vector<std::int64_t> suspects_;
  /// Of what no commit has sealed yet.
  record_count count_;
  std::optional<error> send_problem_;
  std::function<void()> wake_;
  bool closed_ = false;
};

} // namespace weir
