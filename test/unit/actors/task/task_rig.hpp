// One task under CAF's test scheduler, with the test as its lane.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/scheduler/test_coordinator.hpp>

#include "actors/base/messages.hpp"
#include "actors/base/node_context.hpp"
#include "actors/task/messages.hpp"
#include "actors/task/restored_task.hpp"
#include "test/driver/file_env.hpp"
#include "weir/task.hpp"

namespace weir::test {

/// What a task told its lane.
struct lane_notes {
  std::vector<task_sealed> sealed;
  std::vector<task_applied> applied;
  std::vector<task_gone> gone;
  std::vector<error> failures;
  std::vector<error> rejections;
  std::vector<task_failed> failed;
  std::vector<task_rejects> rejected;
  /// Commits asked for before their time.
  int wanted = 0;
};

/// A record that was read back.
struct sent_record {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;

  /// Empty if there is no such header.
  std::string header(std::string_view name) const;
};

/// The definitions of job "t".
inline constexpr input<std::string, std::string> rig_in{"in"};
inline constexpr input<std::string, std::string> rig_two{"two"};
inline constexpr store<std::string, std::string> rig_store{"s"};
inline constexpr output<std::string, std::string> rig_out{"out"};

/// Gets the records of "in" as they are.
class rig_task : public task {
public:
  explicit rig_task(const task_setup& setup) : task(setup) {
    on(rig_in, &rig_task::process);
  }
  virtual void process(const record& x) = 0;

protected:
  use<rig_store> values{this};
  use<rig_out> out{this};
};

/// The same, and those of "two".
template <class Task>
class with_two : public Task {
public:
  explicit with_two(const task_setup& setup) : Task(setup) {
    this->on(rig_two, &rig_task::process);
  }
};

/// Job "t": input "in" and `more_inputs`, with the settings `input`, output
/// "out", store "s" of strings, one partition. Log and database live in memory,
/// everything runs in the test's thread. Throws std::runtime_error where the
/// runtime around the task fails.
class task_rig {
public:
  explicit task_rig(settings how = {},
                    std::shared_ptr<outside_world> world = make_outside_world(),
                    std::map<std::string, std::string> input = {},
                    const std::vector<part>& more_inputs = {});
  ~task_rig();
  task_rig(const task_rig&) = delete;
  task_rig& operator=(const task_rig&) = delete;

  stream_system& streams() { return *context_->outside.streams; }
  file_env& disk() { return disk_; }
  const node_context& context() const { return *context_; }

  /// Creates the job's missing topics.
  void prepare();
  void feed(const std::string& key, const std::string& value,
            const std::string& topic = "in");
  /// What a reader of committed records sees in a topic.
  std::vector<sent_record> read(const std::string& topic);

  /// The steps of a bring-up; answers the first error.
  result<std::shared_ptr<restored_task>> restore(claim_node claim = {});
  /// What the operator decided before the next `spawn` (rule H28).
  void decide(parked_node what) {
    decision_ = std::make_shared<const parked_node>(std::move(what));
  }
  /// Each record's changes are measured from the next `spawn` on.
  void be_careful() { careful_ = true; }
  /// An incarnation before the next `spawn` failed at this record of "in".
  void suspect(std::int64_t offset) { suspects_[0] = offset; }
  /// Prepares, restores and spawns, once or after `end`: a new owner.
  template <class Task>
  caf::actor& spawn() {
    return spawn(task_of<Task>());
  }
  caf::actor& spawn(const task_factory& make);

  // -- as the lane

  void begin();
  void seal(bool last = false);
  /// Commits what was sealed, if anything, and has it applied.
  void commit();
  /// The first half of it; false: nothing was sealed.
  bool commit_transaction();
  void apply() { tell(apply_request{number_}); }
  /// A whole commit, and the begin of the next.
  void pass();
  void end(bool clean);
  template <class Message>
  void tell(Message x) {
    weir::tell(task_, std::move(x));
    run();
  }
  /// Lets time pass.
  void wait(std::chrono::milliseconds time);

  const lane_notes& notes() const { return notes_; }
  /// Of the last `restore` that failed.
  const std::optional<input_fault>& fault() const { return fault_; }

private:
  void run();

  file_env disk_;
  std::shared_ptr<environment> files_;
  std::shared_ptr<node_context> context_;
  caf::actor_system_config config_;
  lane_notes notes_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  caf::actor lane_;
  caf::actor task_;
  std::shared_ptr<lane_producers> producers_;
  std::uint64_t number_ = 0;
  std::uint64_t epoch_ = 0;
  bool running_ = false;
  bool open_ = false;
  bool forced_ = false;
  std::shared_ptr<const parked_node> decision_;
  bool careful_ = false;
  suspect_records suspects_;
  std::optional<input_fault> fault_;
};

} // namespace weir::test
