#include "test/simulation/life.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/embedded/coordination/coordination.hpp"
#include "runtime/embedded/log/streams.hpp"
#include "test/driver/sim_world.hpp"

namespace weir::sim {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds longest_step = std::chrono::milliseconds{1};
/// Of a request that its sender has given up.
constexpr nanoseconds longest_delay = std::chrono::milliseconds{400};
/// Until the process is started again that died within a file operation.
constexpr std::chrono::milliseconds default_absence{1'000};

std::size_t runnable(const std::vector<std::shared_ptr<sim_executor>>& all) {
  std::size_t out = 0;
  for (auto& each : all)
    out += each->runnable();
  return out;
}

} // namespace

// -- start

result<opened_systems> open_systems(machine& on) {
  opened_systems out;
  out.world = std::make_shared<sim_world>(on.time, on.ids, on.processes,
                                          on.processes.start(), "servers",
                                          on.server_disk().boot_id());
  out.files = on.server_disk().current();
  embedded_options options;
  options.directory =
      embedded_directory(on.work.make_settings(on.plan.promise));
  options.env = &out.files->native();
  options.run_background = [files = out.files] { files->run_scheduled(); };
  auto database = open_embedded(options, *out.world);
  if (!database)
    return fail(database.error());
  out.database = std::move(*database);
  auto streams =
      make_embedded_streams(out.database, out.world, {.own_threads = false});
  if (!streams)
    return fail(streams.error());
  out.streams = std::move(*streams);
  return out;
}

life::life(machine& on, int number) : on_(on), number_(number) {}

life::~life() = default;

result<void> life::start() {
  auto opened = open_systems(on_);
  if (!opened)
    return fail(opened.error());
  systems_ = std::move(*opened);
  feed_ = std::make_unique<feed>(on_, *systems_.streams);
  if (auto done = feed_->start(number_ == 0); !done)
    return done;
  scheduler_ = std::make_unique<sim_scheduler>(on_.time, on_.plan.throughput);
  servers_.streams = systems_.streams;
  servers_.late = make_server("late", 4, [&random = on_.chance] {
    return random.up_to(longest_delay);
  });
  servers_.coordination = make_embedded_coordination(
      systems_.database,
      make_server("coordination", 1, on_.duration_of("coordination")),
      [&time = on_.time] { return time.milliseconds(); });
  servers_.claims = std::make_shared<claim_history>(
      systems_.database, on_.work.job.name(), on_.work.partitions);
  places_.resize(static_cast<std::size_t>(on_.plan.nodes));
  for (int node = 0; node < on_.plan.nodes; ++node)
    start_node(node);
  for (int node = 0; node < on_.plan.nodes; ++node)
    if (on_.alone >= 0 && node != on_.alone)
      crash_node(node, std::chrono::milliseconds{0});
  return {};
}

std::shared_ptr<sim_executor>
life::make_server(std::string name, std::size_t width,
                  std::function<nanoseconds()> takes) {
  servers_.executors.push_back(std::make_shared<sim_executor>(
      std::move(name), width, on_.time, std::move(takes)));
  return servers_.executors.back();
}

void life::start_node(int number) {
  auto& place = places_[static_cast<std::size_t>(number)];
  if (place.node)
    dead_.push_back(std::move(place.node));
  place.restarts_at.reset();
  place.node = std::make_unique<sim_node>(on_, servers_, *scheduler_, number);
  auto always = on_.plan.wrong == poison::slow_at_a_record ||
                on_.plan.word != parked_decision::resume;
  place.node->start(
      on_.work.factory(number_ == 0 || always ? on_.plan.wrong : poison::none,
                       place.node->world()));
}

// -- steps

bool life::step() {
  while (!run_one())
    if (!jump())
      return false;
  ++on_.steps;
  servers_.claims->look();
  disturb();
  for (auto& each : places_)
    if (!each.node->is_dead())
      each.node->network().step(on_.steps > on_.calm_after);
  pass(on_.schedule.up_to(longest_step));
  return true;
}

bool life::is_over() const {
  return std::all_of(places_.begin(), places_.end(), [](auto& each) {
    return each.node->is_dead() ? !each.restarts_at
                                : each.node->report().has_value();
  });
}

/// Whose step it is, for the trace and for what it spawns.
void life::enter(int node) {
  on_.at_work = node;
  scheduler_->enter(node);
}

/// False: there is nothing to do at this time.
bool life::run_one() {
  auto& actors = scheduler_->runnable([this](int node) {
    return node < 0 || places_[static_cast<std::size_t>(node)].node->may_run();
  });
  std::size_t choices = actors.size() + runnable(servers_.executors);
  for (auto& each : places_)
    if (each.node->may_run())
      choices += runnable(each.node->executors());
  bool may_feed =
      !feed_->is_over() && feed_->next_due() <= on_.time.now && !is_over();
  choices += may_feed ? 1 : 0;
  if (choices == 0)
    return false;
  auto choice = static_cast<std::size_t>(on_.schedule.below(choices));
  if (choice < actors.size()) {
    auto job = actors[choice];
    enter(scheduler_->owner(job));
    on_.log.add('s', on_.tag() + scheduler_->describe(job));
    scheduler_->run(job);
    return true;
  }
  choice -= actors.size();
  if (run_job(servers_.executors, sim_scheduler::nobody, choice))
    return true;
  for (auto& each : places_)
    if (each.node->may_run() &&
        run_job(each.node->executors(), each.node->number(), choice))
      return true;
  enter(sim_scheduler::nobody);
  on_.log.add('s', "feed");
  feed_->step();
  return true;
}

/// Runs the job number `choice`, or counts those that there are off it.
bool life::run_job(const std::vector<std::shared_ptr<sim_executor>>& of,
                   int node, std::size_t& choice) {
  // By index: a job may make another executor.
  for (std::size_t i = 0; i < of.size(); ++i) {
    auto each = of[i];
    if (choice < each->runnable()) {
      enter(node);
      on_.log.add('s', fmt::format("{}{} {}", on_.tag(), each->name(), choice));
      each->run(choice);
      return true;
    }
    choice -= each->runnable();
  }
  return false;
}

/// To the next event; false: there is none, or every node has ended.
bool life::jump() {
  if (is_over())
    return false;
  auto next = scheduler_->next_due();
  for (auto& each : servers_.executors)
    next = std::min(next, each->next_due());
  for (auto& each : dead_)
    next = std::min(next, each->next_due());
  for (auto& each : places_) {
    next = std::min(next, each.node->next_due());
    next = std::min(next, each.restarts_at.value_or(next));
  }
  if (!feed_->is_over())
    next = std::min(next, feed_->next_due());
  if (next == nanoseconds::max())
    return false;
  pass(std::max(next - on_.time.now, nanoseconds{0}));
  return true;
}

void life::pass(nanoseconds time) {
  on_.time.now += time;
  wake_up();
  scheduler_->look_at_the_clock();
}

// -- faults of a single node

void life::wake_up() {
  for (auto& each : dead_)
    each->pass();
  for (auto& each : places_)
    each.node->pass();
  for (int node = 0; node < on_.plan.nodes; ++node) {
    auto& place = places_[static_cast<std::size_t>(node)];
    if (place.restarts_at && *place.restarts_at <= on_.time.now)
      start_node(node);
  }
}

void life::disturb() {
  auto& coming = on_.node_faults;
  while (!coming.empty() && coming.front().after <= on_.steps) {
    auto fault = coming.front();
    coming.pop_front();
    meet(fault);
  }
  if (on_.plan.nodes > 1)
    for (int node = 0; node < on_.plan.nodes; ++node)
      if (on_.disk_of(node).crashed())
        crash_node(node, default_absence);
}

void life::meet(const node_fault& fault) {
  auto& node = *places_[static_cast<std::size_t>(fault.node)].node;
  if (node.is_dead() || node.report())
    return;
  disturbed_ = true;
  on_.log.add('x', to_string(fault));
  auto until = on_.time.now + fault.lasts;
  switch (fault.kind) {
  case node_fault::what::crash:
    return crash_node(fault.node, fault.lasts);
  case node_fault::what::pause:
    return node.pause(until);
  case node_fault::what::cut:
    return node.network().cut(until);
  case node_fault::what::full:
    return node.fill_disk(fault.lasts.count() > 0 ? std::optional{until}
                                                  : std::nullopt);
  }
}

void life::crash_node(int number, std::chrono::milliseconds away) {
  disturbed_ = true;
  // First the disk, so that nothing of the rest has an effect.
  on_.crash_disk(on_.disk_of(number));
  auto& place = places_[static_cast<std::size_t>(number)];
  on_.log.pause(true);
  place.node->crash();
  on_.log.pause(false);
  if (on_.plan.lose_databases)
    on_.lose_databases_of(number);
  if (away.count() > 0)
    place.restarts_at = on_.time.now + away;
}

// -- the end

std::vector<const node_report*> life::reports() const {
  std::vector<const node_report*> out;
  for (auto& each : places_)
    if (!each.node->is_dead())
      out.push_back(each.node->report() ? &*each.node->report() : nullptr);
  return out;
}

std::int64_t life::input_end(const topic_partition& of) const {
  auto limits = systems_.streams->query_watermarks(of.first, of.second,
                                                   isolation::read_committed);
  return limits ? limits->high : -1;
}

void life::crash() {
  for (auto& each : places_)
    if (each.node)
      each.node->close();
  for (auto& each : servers_.executors)
    each->kill();
  if (scheduler_)
    scheduler_->kill_all();
  close();
}

result<void> life::end() {
  for (auto& each : places_)
    each.node->let_go();
  // Timers of dead actors are all that may be left.
  scheduler_->cancel_timers();
  auto left = scheduler_->actors();
  for (auto& each : places_) {
    enter(each.node->number());
    each.node->stop_executors();
    each.node->close();
  }
  for (auto& each : servers_.executors)
    each->stop();
  scheduler_->kill_all();
  close();
  if (left > 0)
    return fail(ec::timed_out, fmt::format("{} actors are left", left));
  return {};
}

void life::close() {
  on_.at_work = -1;
  on_.processes.clear();
  feed_.reset();
  scheduler_.reset();
  places_.clear();
  dead_.clear();
  servers_ = {};
  systems_.streams.reset();
  systems_ = {};
}

} // namespace weir::sim
