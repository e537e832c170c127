#include "test/driver/driver_core.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actors/host/systems.hpp"
#include "actors/task/messages.hpp"
#include "actors/task/task_core.hpp"
#include "actors/task/task_trial.hpp"
#include "runtime/base/log.hpp"
#include "runtime/embedded/coordination/coordination.hpp"
#include "runtime/embedded/log/streams.hpp"
#include "weir/messages.hpp"

namespace weir::testing::detail {

namespace {

/// Of virtual time in one call: what is not done by then will never be.
constexpr std::chrono::minutes most_time{10};
/// A node's own number with the scheduler.
constexpr int the_node = 0;
constexpr std::size_t messages_a_step = 1;

settings settings_of(const driver_options& how) {
  settings out;
  out.data_directory = "/data";
  out.guarantee = how.guarantee;
  out.on_bad_record = how.on_bad_record;
  out.check_interval = how.check_interval;
  out.sync_interval = how.sync_interval;
  // Nothing is committed before the test says so.
  out.hop_interval = how.check_interval;
  out.create_inputs = how.partitions;
  // What stops a task is what the test wants to know.
  out.on_task_stop = task_stop_policy::exit;
  return out;
}

/// "lines/2 offset 17"
std::optional<std::pair<std::string, position>>
parse_place(std::string_view text) {
  constexpr std::string_view mark = " offset ";
  auto gap = text.find(mark);
  auto slash = text.rfind('/', gap);
  if (gap == text.npos || slash == text.npos)
    return std::nullopt;
  auto number = [](std::string_view x) { return std::stoll(std::string{x}); };
  return std::pair{std::string{text.substr(0, slash)},
                   position{static_cast<std::int32_t>(number(
                                text.substr(slash + 1, gap - slash - 1))),
                            number(text.substr(gap + mark.size()))}};
}

} // namespace

driver_core::driver_core(job of, task_factory task, driver_options how)
    : job_(std::move(of)), factory_(std::move(task)), how_(std::move(how)),
      settings_(settings_of(how_)), schedule_(how_.seed),
      ids_(how_.seed ^ 0x1d5) {
  must(job_.check());
  must(settings_.validate());
  time_.epoch_ms = how_.start.time_since_epoch().count();
  log_ = std::make_shared<const log_sink>(
      [this](log_level, std::string_view event, std::string_view text) {
        note_log(event, text);
      });
  log_scope scope{log_};
  open_servers();
  start_node();
}

driver_core::~driver_core() {
  kill_node();
  feed_.reset();
  if (server_steps_)
    server_steps_->kill();
}

void driver_core::note_log(std::string_view event, std::string_view text) {
  if (how_.log)
    how_.log(fmt::format("{} {}", event, text));
  if (event != "record.skipped" && event != "record.dead_letter")
    return;
  constexpr std::string_view at = "at=", why = " why=";
  auto reason = text.find(why);
  if (!text.starts_with(at) || reason == text.npos)
    return;
  if (auto place = parse_place(text.substr(at.size(), reason - at.size())))
    bad_.push_back({place->first, place->second,
                    std::string{text.substr(reason + why.size())}});
}

// -- servers and node

void driver_core::open_servers() {
  server_world_ = std::make_shared<sim::sim_world>(
      time_, ids_, processes_, processes_.start(), "servers",
      server_disk_.boot_id());
  server_files_ = server_disk_.current();
  embedded_options options;
  options.directory = embedded_directory(settings_);
  options.env = &server_files_->native();
  options.run_background = [files = server_files_] { files->run_scheduled(); };
  database_ = must(open_embedded(options, *server_world_));
  streams_ = must(
      make_embedded_streams(database_, server_world_, {.own_threads = false}));
  server_steps_ = std::make_shared<sim::sim_executor>("coordination", 1, time_);
  coordination_ = make_embedded_coordination(
      database_, server_steps_, [this] { return time_.milliseconds(); });
  feed_ = must(streams_->open_producer({}));
  for (auto& input : job_.inputs())
    must(streams_->create_topic(job_.topic(input), {how_.partitions, 0, {}}));
}

std::shared_ptr<sim::sim_executor>
driver_core::make_executor(std::string name, std::size_t width) {
  executors_.push_back(
      std::make_shared<sim::sim_executor>(std::move(name), width, time_));
  return executors_.back();
}

/// Until its tasks are there, with what they have to commit first.
void driver_core::start_node() {
  auto was_open = gate_->is_open();
  gate_->set_open(false);
  spawn_node();
  commit();
  gate_->set_open(was_open);
}

void driver_core::spawn_node() {
  log_scope scope{log_};
  scheduler_ = std::make_unique<sim::sim_scheduler>(time_, messages_a_step);
  must(try_task(scheduler_->system(), job_, factory_));
  pid_ = processes_.start();
  outside_systems outside;
  outside.world = std::make_shared<sim::sim_world>(
      time_, ids_, processes_, pid_, "host", node_disk_.boot_id());
  outside.files = node_disk_.current();
  outside.log = log_;
  std::set<std::string> inputs;
  for (auto& source : job_.sources())
    inputs.insert(job_.topic(source));
  outside.streams =
      std::make_shared<gated_streams>(streams_, gate_, std::move(inputs));
  outside.coordination = coordination_;
  outside.run = {make_executor("disk", 2), make_executor("net", 4),
                 make_executor("fence", 2), make_executor("bury", 1)};
  outside.make_executor = [this](std::string name) {
    return make_executor(std::move(name), 1);
  };
  auto context = std::make_shared<node_context>(
      outside, job_, settings_, identify_process(*outside.world));
  context->refuses_foreign_keys = true;
  node_options options;
  options.factory = remembering(factory_);
  options.on_end = [this](const node_report& x) { report_ = x; };
  scheduler_->enter(the_node);
  node_ = caf::actor_cast<caf::actor>(
      scheduler_->system().spawn<node_actor>(context, options));
  scheduler_->adopt(node_);
}

/// The handles of the tasks, by partition.
task_factory driver_core::remembering(task_factory make) {
  return [this, make = std::move(make)](caf::actor_system& system,
                                        const task_setup& setup) {
    auto made = make(system, setup);
    tasks_[weir::detail::task_setup_access::partition(setup)] = made.address();
    return made;
  };
}

/// Without any effect of its last moments: first the disk, then the process.
void driver_core::kill_node() {
  log_scope scope{log_};
  node_disk_.crash_process();
  if (pid_ != 0)
    processes_.end(pid_);
  node_ = nullptr;
  tasks_.clear();
  for (auto& each : executors_)
    each->kill();
  if (scheduler_)
    scheduler_->kill_all();
  executors_.clear();
  scheduler_.reset();
  report_.reset();
}

void driver_core::crash(bool lose_disk) {
  kill_node();
  if (lose_disk) {
    auto files = node_disk_.current();
    for (int p = 0; p < how_.partitions; ++p)
      must(remove_directory(*files,
                            task_directory(settings_, job_.name(), p) + "/db"));
  }
  start_node();
}

// -- steps

/// False: there is nothing to do at this time.
bool driver_core::step() {
  log_scope scope{log_};
  auto& actors = scheduler_->runnable([](int) { return true; });
  auto jobs = server_steps_->runnable();
  for (auto& each : executors_)
    jobs += each->runnable();
  auto choices = actors.size() + jobs;
  if (choices == 0)
    return false;
  ++steps_;
  auto choice = static_cast<std::size_t>(schedule_.below(choices));
  if (choice < actors.size()) {
    scheduler_->enter(scheduler_->owner(actors[choice]));
    scheduler_->run(actors[choice]);
    return true;
  }
  choice -= actors.size();
  if (choice < server_steps_->runnable()) {
    scheduler_->enter(sim::sim_scheduler::nobody);
    server_steps_->run(choice);
    return true;
  }
  choice -= server_steps_->runnable();
  scheduler_->enter(the_node);
  // By index: a job may make another executor.
  for (std::size_t i = 0; i < executors_.size(); ++i) {
    auto each = executors_[i];
    if (choice < each->runnable()) {
      each->run(choice);
      break;
    }
    choice -= each->runnable();
  }
  return true;
}

class driver_core::opening {
public:
  explicit opening(input_gate& of) : gate_(of) { gate_.set_open(true); }
  ~opening() { gate_.set_open(false); }
  opening(const opening&) = delete;
  opening& operator=(const opening&) = delete;

private:
  input_gate& gate_;
};

/// All that can happen without time passing.
void driver_core::settle() {
  while (step())
    if (how_.crash_after != 0 && steps_ >= how_.crash_after) {
      how_.crash_after = 0;
      crash(false);
    }
  check_node();
}

void driver_core::check_node() const {
  if (report_)
    throw driver_error{fmt::format("job {}: {}", job_.name(), report_->text)};
}

void driver_core::pass(nanoseconds time) {
  time_.now += time;
  scheduler_->look_at_the_clock();
}

/// To the next thing that time brings, but no further than `longest`.
void driver_core::jump(nanoseconds longest) {
  auto next = scheduler_->next_due();
  next = std::min(next, server_steps_->next_due());
  for (auto& each : executors_)
    next = std::min(next, each->next_due());
  auto pause = next == nanoseconds::max() ? longest : next - time_.now;
  pass(std::clamp(pause, nanoseconds{0}, longest));
}

void driver_core::go_on_until(const std::function<bool()>& done,
                              const char* what) {
  auto until = time_.now + most_time;
  for (settle(); !done(); settle()) {
    if (time_.now >= until)
      throw driver_error{fmt::format(
          "job {}: {} minutes of its time were not enough to {}", job_.name(),
          std::chrono::duration_cast<std::chrono::minutes>(most_time).count(),
          what)};
    jump(until - time_.now);
  }
}

void driver_core::process() {
  opening now{*gate_};
  go_on_until([this] { return all(&progress::at_ends); },
              "process what there is");
}

void driver_core::commit() {
  go_on_until(
      [this] {
        if (all(&progress::committed))
          return true;
        tell(node_, commit_wanted{});
        settle();
        return all(&progress::committed);
      },
      "commit");
}

void driver_core::run() {
  do {
    process();
    commit();
  } while (!all(&progress::at_ends));
}

void driver_core::advance(nanoseconds time) {
  opening now{*gate_};
  auto until = time_.now + time;
  for (settle(); time_.now < until; settle())
    jump(until - time_.now);
}

// -- looking

/// False: the task is not there.
bool driver_core::look(int partition,
                       const std::function<void(task_core&)>& at) {
  auto found = tasks_.find(partition);
  auto actor = found == tasks_.end()
                   ? nullptr
                   : caf::actor_cast<caf::actor>(found->second);
  if (!actor)
    return false;
  bool seen = false;
  std::exception_ptr thrown;
  tell_high(actor, visit_task{[&](task_core& task) {
              seen = true;
              try {
                at(task);
              } catch (...) {
                thrown = std::current_exception();
              }
            }});
  while (!seen && scheduler_->run_actor(actor.id())) {
  }
  if (thrown)
    std::rethrow_exception(thrown);
  return seen;
}

std::int64_t driver_core::end_of(const std::string& topic, int partition) {
  return must(streams_->query_watermarks(topic, partition,
                                         isolation::read_committed))
      .high;
}

driver_core::progress driver_core::progress_of(int partition) {
  progress out;
  auto seen = look(partition, [&](task_core& task) {
    out.committed = !task.uncommitted();
    auto positions = task.positions();
    out.at_ends = true;
    for (std::size_t i = 0; i < positions.size(); ++i)
      out.at_ends &=
          positions[i] >= end_of(job_.topic(job_.sources()[i]), partition);
  });
  return seen ? out : progress{};
}

bool driver_core::all(bool progress::*what) {
  for (int p = 0; p < how_.partitions; ++p)
    if (!(progress_of(p).*what))
      return false;
  return true;
}

void driver_core::put(int partition, const question& ask) {
  check_node();
  auto found = tasks_.find(partition);
  auto task = found == tasks_.end()
                  ? nullptr
                  : caf::actor_cast<caf::actor>(found->second);
  if (!task)
    throw driver_error{fmt::format("task {} is not here", partition)};
  bool over = false;
  std::optional<error> problem;
  scheduler_->enter(the_node);
  auto asker = scheduler_->system().spawn([&](caf::event_based_actor* self) {
    ask(self, task, [&](const caf::error* why) {
      over = true;
      if (why != nullptr)
        problem = weir::detail::reason_of(*why, scheduler_->system());
    });
  });
  scheduler_->adopt(asker);
  while (!over && (scheduler_->run_actor(asker.id()) ||
                   scheduler_->run_actor(task.id()) || step())) {
  }
  if (!over)
    throw driver_error{fmt::format("task {} does not answer", partition)};
  if (problem)
    throw driver_error{
        fmt::format("task {}: {}", partition, to_string(*problem))};
}

void driver_core::visit(const part& store, const store_visit& each) {
  if (job_.find(role::store, store.name) == nullptr)
    throw driver_error{
        fmt::format("job '{}' has no store '{}'", job_.name(), store.name)};
  check_node();
  for (int p = 0; p < how_.partitions; ++p) {
    struct context {
      const store_visit& each;
      int partition;
    } to{each, p};
    look(p, [&](task_core& task) {
      weir::detail::scan(task.open_store(store), {}, std::nullopt, &to,
                         [](void* x, std::string_view key, const void* value) {
                           auto& to = *static_cast<context*>(x);
                           return to.each(to.partition, key, value);
                         });
    });
  }
}

} // namespace weir::testing::detail
