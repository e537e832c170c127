#include "test/simulation/life.hpp"

#include <algorithm>

#include <caf/scheduled_actor.hpp>
#include <cxxabi.h>
#include <fmt/format.h>

#include "actors/commands/systems.hpp"
#include "runtime/embedded/coordination.hpp"
#include "runtime/embedded/streams.hpp"

namespace weir::sim {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds longest_step = std::chrono::milliseconds{1};
constexpr nanoseconds longest_feed_pause = std::chrono::milliseconds{6};
/// Of a request that its sender has given up.
constexpr nanoseconds longest_delay = std::chrono::milliseconds{400};

nanoseconds up_to(random_source& random, nanoseconds longest) {
  return nanoseconds{random.below(static_cast<std::uint64_t>(longest.count()))};
}

std::string readable(const char* mangled) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> text{
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free};
  return status == 0 ? text.get() : mangled;
}

/// "actor 17 weir::seal_request": who is about to handle what.
std::string describe(caf::scheduled_actor& who) {
  auto* next = who.mailbox().blocked() ? nullptr : who.mailbox().peek();
  auto out = fmt::format("actor {}", who.id());
  if (next == nullptr)
    return out + " start";
  auto& content = next->content();
  if (content.empty())
    return out + " empty";
  auto type = content.type(0);
  if (type.second != nullptr)
    return out + ' ' + readable(type.second->name());
  return out + fmt::format(" type {}", type.first);
}

} // namespace

// -- start

result<opened_systems> open_systems(machine& on, int number) {
  opened_systems out;
  out.world =
      std::make_shared<sim_world>(on.time, on.ids, on.disk.boot_id(), number);
  out.files = on.disk.current();
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

life::life(machine& on, int number) : on_(on), number_(number) {
  config_.set("scheduler.policy", caf::atom("testing"));
  config_.set("scheduler.max-throughput", std::size_t{1});
}

life::~life() = default;

result<void> life::start() {
  auto opened = open_systems(on_, number_);
  if (!opened)
    return fail(opened.error());
  systems_ = std::move(*opened);
  if (auto done = start_feeding(); !done)
    return done;

  system_ = std::make_unique<caf::actor_system>(config_);
  scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
  scheduler_->clock().current_time = caf::actor_clock::time_point{on_.time.now};
  // CAF's own actors, before anything of ours.
  while (scheduler_->try_run_once()) {
  }

  outside_systems outside;
  outside.world = systems_.world;
  outside.files = systems_.files;
  outside.streams =
      make_sim_streams(systems_.streams, on_.faults, on_.plan.lie,
                       make_executor("late", 4,
                                     [&random = on_.chance] {
                                       return up_to(random, longest_delay);
                                     }),
                       on_.chance, on_.time, on_.history);
  network_ = std::make_shared<sim_network>(
      make_embedded_coordination(
          systems_.database, make_executor("coordination", 1),
          [&time = on_.time] { return time.milliseconds(); }),
      on_.broken_network, on_.chance, on_.time);
  outside.coordination = network_;
  outside.run = {make_executor("disk", 2), make_executor("net", 4),
                 make_executor("fence", 2), make_executor("bury", 1)};
  outside.make_executor = [this](std::string name) {
    return make_executor(std::move(name), 1);
  };
  auto context = std::make_shared<node_context>(
      outside, on_.work.job, on_.work.make_settings(on_.plan.promise),
      identify_process(*systems_.world));
  node_options options;
  options.factory =
      on_.work.factory(number_ == 0 ? on_.plan.wrong : poison::none);
  options.on_end = [this](const node_report& x) { report_ = x; };
  auto node = system_->spawn<node_actor>(context, options);
  // Its mailbox keeps it alive no longer than it is at work.
  seen_[node.id()] = node.address();
  node_ = caf::actor_cast<caf::actor>(node);
  return {};
}

std::shared_ptr<sim_executor>
life::make_executor(std::string name, std::size_t width,
                    std::function<nanoseconds()> delay) {
  executors_.push_back(std::make_shared<sim_executor>(
      std::move(name), width, on_.time, std::move(delay)));
  return executors_.back();
}

// -- the feed

result<void> life::start_feeding() {
  auto producer = systems_.streams->open_producer({});
  if (!producer)
    return fail(producer.error());
  feeder_ = std::move(*producer);
  for (auto& [where, records] : on_.work.input) {
    auto& [topic, partition] = where;
    auto found = systems_.streams->describe_topic(topic);
    if (!found)
      return fail(found.error());
    if (!*found)
      if (auto made = systems_.streams->create_topic(
              topic, {on_.work.partitions, 0, {}});
          !made)
        return made;
    auto opened = feeder_->open_topic(topic);
    // What a life before this one has fed is seen in the log, not remembered.
    auto limits = systems_.streams->query_watermarks(topic, partition,
                                                     isolation::read_committed);
    if (!opened || !limits)
      return fail(!opened ? opened.error() : limits.error());
    if (static_cast<std::size_t>(limits->high) < records.size())
      sources_.push_back(
          {where, *opened, static_cast<std::size_t>(limits->high)});
  }
  // The first life begins with half of it.
  if (number_ == 0)
    return feed(20);
  saw_all_ = !is_feeding();
  return {};
}

bool life::is_feeding() const {
  return !sources_.empty();
}

result<void> life::feed(int records) {
  for (int i = 0; i < records && is_feeding(); ++i) {
    auto index = on_.schedule.below(sources_.size());
    auto& source = sources_[index];
    auto& all = on_.work.input.at(source.where);
    auto& next = all[source.next];
    outgoing x;
    x.topic = source.topic;
    x.partition = source.where.second;
    x.key = next.key;
    x.value = next.value;
    if (auto sent = feeder_->send(x); !sent)
      return sent;
    if (auto written = feeder_->flush(std::chrono::seconds{1}); !written)
      return written;
    if (++source.next == all.size())
      sources_.erase(sources_.begin() + static_cast<std::ptrdiff_t>(index));
  }
  next_feed_ = on_.time.now + up_to(on_.schedule, longest_feed_pause);
  return {};
}

// -- steps

bool life::step() {
  while (!run_one())
    if (!jump())
      return false;
  ++on_.steps;
  network_->step(on_.steps > on_.calm_after);
  pass(up_to(on_.schedule, longest_step));
  return true;
}

/// False: there is nothing to do at this time.
bool life::run_one() {
  std::size_t choices = scheduler_->jobs.size();
  for (auto& each : executors_)
    choices += each->runnable();
  bool may_feed = is_feeding() && next_feed_ <= on_.time.now && !report_;
  choices += may_feed ? 1 : 0;
  if (choices == 0)
    return false;
  auto choice = static_cast<std::size_t>(on_.schedule.below(choices));
  if (choice < scheduler_->jobs.size()) {
    run_actor(choice);
    return true;
  }
  choice -= scheduler_->jobs.size();
  // By index: a job may make another executor.
  for (std::size_t i = 0; i < executors_.size(); ++i) {
    auto each = executors_[i];
    if (choice < each->runnable()) {
      on_.log.add('s', fmt::format("{} {}", each->name(), choice));
      each->run(choice);
      return true;
    }
    choice -= each->runnable();
  }
  on_.log.add('s', "feed");
  static_cast<void>(feed(1));
  return true;
}

void life::run_actor(std::size_t index) {
  auto& jobs = scheduler_->jobs;
  auto at = jobs.begin() + static_cast<std::ptrdiff_t>(index);
  std::rotate(jobs.begin(), at, at + 1);
  if (auto* actor = dynamic_cast<caf::scheduled_actor*>(jobs.front())) {
    seen_[actor->id()] = actor->address();
    on_.log.add('s', describe(*actor));
  } else {
    on_.log.add('s', "job");
  }
  scheduler_->run_once();
}

/// To the next event; false: there is none, or the process has ended.
bool life::jump() {
  auto& schedule = scheduler_->clock().schedule();
  auto next = nanoseconds::max();
  for (auto& each : executors_)
    next = std::min(next, each->next_due());
  if (!schedule.empty())
    next =
        std::min(next, nanoseconds{schedule.begin()->first.time_since_epoch()});
  if (is_feeding())
    next = std::min(next, next_feed_);
  next = std::min(next, network_->next_due());
  if (report_ || next == nanoseconds::max())
    return false;
  pass(std::max(next - on_.time.now, nanoseconds{0}));
  network_->step(on_.steps > on_.calm_after);
  return true;
}

void life::pass(nanoseconds time) {
  on_.time.now += time;
  scheduler_->clock().current_time = caf::actor_clock::time_point{on_.time.now};
  scheduler_->clock().trigger_expired_timeouts();
}

// -- the end

void life::crash() {
  for (auto& each : executors_)
    each->kill();
  kill_actors();
  close();
}

/// Actors hold each other: an end from outside breaks the circles.
void life::kill_actors() {
  node_ = nullptr;
  if (!system_)
    return;
  scheduler_->clock().cancel_all();
  do {
    for (auto* job : scheduler_->jobs)
      if (auto* actor = dynamic_cast<caf::scheduled_actor*>(job))
        seen_[actor->id()] = actor->address();
    for (auto& [id, addr] : seen_)
      if (auto actor = caf::actor_cast<caf::actor>(addr))
        caf::anon_send_exit(actor, caf::exit_reason::kill);
    seen_.clear();
    while (scheduler_->try_run_once()) {
    }
  } while (!seen_.empty());
  scheduler_->clock().cancel_all();
}

result<void> life::end() {
  node_ = nullptr;
  // Timers of dead actors are all that may be left.
  scheduler_->clock().cancel_all();
  auto left = system_->registry().running();
  for (auto& each : executors_)
    each->stop();
  kill_actors();
  close();
  if (left > 0)
    return fail(ec::timed_out, fmt::format("{} actors are left", left));
  return {};
}

void life::close() {
  feeder_.reset();
  if (system_) {
    system_->await_actors_before_shutdown(system_->registry().running() == 0);
    scheduler_ = nullptr;
    system_.reset();
  }
  executors_.clear();
  network_.reset();
  systems_.streams.reset();
  systems_ = {};
}

} // namespace weir::sim
