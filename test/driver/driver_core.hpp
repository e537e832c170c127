// The engine of `weir::testing::driver`: one node and its servers, in one
// thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/node/node.hpp"
#include "runtime/leveldb/database.hpp"
#include "test/driver/file_env.hpp"
#include "test/driver/input_gate.hpp"
#include "test/driver/sim_executor.hpp"
#include "test/driver/sim_scheduler.hpp"
#include "test/driver/sim_world.hpp"
#include "weir/testing.hpp"

namespace weir {
class task_core;
} // namespace weir

namespace weir::testing::detail {

template <class T>
T must(result<T> x) {
  if (!x)
    throw driver_error{to_string(x.error())};
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

/// The servers live as long as this object, the node from one crash to the
/// next. A step is the handling of messages by one actor, or one job of an
/// executor. One thread.
class driver_core {
public:
  driver_core(job of, task_factory task, driver_options how);
  ~driver_core();
  driver_core(const driver_core&) = delete;
  driver_core& operator=(const driver_core&) = delete;

  position produce(std::string_view topic, const weir::detail::raw_side& key,
                   const weir::detail::raw_side& value,
                   const emit_options& how);
  void process();
  void commit();
  void run();
  void advance(std::chrono::nanoseconds time);
  void crash(bool lose_disk);

  void visit(const part& store, const store_visit& each);
  void put(int partition, const question& ask);
  std::vector<weir::detail::raw_event> read(std::string_view topic);
  const std::vector<bad_record>& bad() const noexcept { return bad_; }
  std::int64_t now_ms() const {
    return time_.epoch_ms + time_.milliseconds().count();
  }
  std::uint64_t steps() const noexcept { return steps_; }

private:
  using nanoseconds = std::chrono::nanoseconds;
  /// How far a task is.
  struct progress {
    bool at_ends = false;
    bool committed = false;
  };
  /// The inputs can be read while this lives.
  class opening;

  void open_servers();
  void start_node();
  void spawn_node();
  void kill_node();
  std::shared_ptr<sim::sim_executor> make_executor(std::string name,
                                                   std::size_t width);
  task_factory remembering(task_factory make);

  bool step();
  void settle();
  void jump(nanoseconds longest);
  void go_on_until(const std::function<bool()>& done, const char* what);
  void pass(nanoseconds time);
  void check_node() const;

  bool look(int partition, const std::function<void(task_core&)>& at);
  progress progress_of(int partition);
  bool all(bool progress::*what);
  std::int64_t end_of(const std::string& topic, int partition);
  void note_log(std::string_view event, std::string_view text);

  job job_;
  task_factory factory_;
  driver_options how_;
  settings settings_;

  node_log log_;
  sim::virtual_time time_;
  sim::process_table processes_;
  sim::sim_random schedule_;
  sim::sim_random ids_;
  file_env server_disk_;
  file_env node_disk_;
  std::uint64_t steps_ = 0;
  std::vector<bad_record> bad_;

  // the servers
  std::shared_ptr<sim::sim_world> server_world_;
  std::shared_ptr<environment> server_files_;
  std::shared_ptr<embedded_database> database_;
  std::shared_ptr<stream_system> streams_;
  std::shared_ptr<sim::sim_executor> server_steps_;
  std::shared_ptr<coordination_service> coordination_;
  std::unique_ptr<producer> feed_;
  /// Of the next record without a key.
  std::int32_t next_partition_ = 0;

  // the node
  std::shared_ptr<input_gate> gate_ = std::make_shared<input_gate>();
  std::unique_ptr<sim::sim_scheduler> scheduler_;
  std::int64_t pid_ = 0;
  std::vector<std::shared_ptr<sim::sim_executor>> executors_;
  caf::actor node_;
  std::optional<node_report> report_;
  std::map<int, caf::actor_addr> tasks_;
};

} // namespace weir::testing::detail
