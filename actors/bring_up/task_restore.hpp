// Bringing a task's state back, step by step (rules R1 to R12, S2).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/base/node_context.hpp"
#include "actors/base/ready_signal.hpp"
#include "actors/failure/failure_policy.hpp"
#include "actors/task/restored_task.hpp"

namespace weir {

/// Plain and blocking: each function is one job of an executor, in this order,
/// with the claim confirmed before `finish` (rule R12). Owned by the bring-up.
/// Dropping it at any step leaves a database that the next restore continues or
/// rebuilds.
class task_restore {
public:
  task_restore(std::shared_ptr<node_context> context, int partition,
               claim_node claim, job_node job);
  ~task_restore();

  /// Opens the database; what is damaged or cannot be trusted is emptied.
  /// Errors: `locked` (another process has the directory), `io_error`,
  /// `corruption` (of another generation).
  /// `room`: so many bytes must fit on the disk, or `io_error` (L7): the last
  /// commit could not be written.
  result<void> open(bool damaged, std::size_t room = 0);
  /// Takes the restore target (R4) and opens the changelog there.
  result<void> locate();
  /// Reads a bounded part. True: the target is reached.
  result<bool> read_some();
  /// Makes the state usable; checks that a new, empty one is right (S2).
  /// Errors: `data_loss`, `corruption`.
  result<void> finish();
  /// Opens the inputs at the committed positions, or where the policy says for
  /// new ones (R3). Errors: `data_loss` for positions that an input does not
  /// hold any more (R5).
  result<void> open_inputs();

  /// After `finish`: above every epoch in the changelog, or C4 asks for more.
  std::uint64_t highest_epoch() const noexcept { return highest_epoch_; }
  /// What the operator decided about the record, or the gap, that stopped the
  /// task (H28). Before `open_inputs`.
  void decided(std::shared_ptr<const parked_node> x) { decision_ = x; }
  /// After `open_inputs` failed with `data_loss` for records that are gone.
  const std::optional<input_fault>& fault() const noexcept { return fault_; }
  /// For the state "hanging transaction": how far the restore is.
  std::string progress() const;
  /// The result, once all steps are done.
  std::shared_ptr<restored_task> take();

private:
  result<void> rebuild(const std::string& why);
  result<void> open_changelog();
  struct placed_input {
    input_position position;
    watermarks limits;
  };
  result<placed_input> place_input(const std::string& topic,
                                   bool internal);
  result<void> cross_gaps(std::vector<placed_input>& places);
  bool may_cross(const input_gap& x) const;
  result<void> refuse_gaps(const std::vector<input_gap>& gaps);
  void cross_gap(input_position& at, std::int64_t low);
  result<void> open_input(placed_input place);
  result<void> check_empty(bool any_record);

  std::shared_ptr<node_context> context_;
  int partition_;
  job_node job_;
  std::shared_ptr<restored_task> restored_;
  std::unique_ptr<restorer> restorer_;
  std::unique_ptr<partition_reader> reader_;
  std::unique_ptr<record_batch> batch_;
  std::shared_ptr<ready_signal> ready_;
  watermarks limits_;
  std::int64_t start_ = 0;
  std::uint64_t highest_epoch_ = 0;
  std::shared_ptr<const parked_node> decision_;
  std::optional<input_fault> fault_;
};

} // namespace weir
