#include "test/driver/sim_scheduler.hpp"

#include <algorithm>
#include <cstdlib>

#include <caf/actor_registry.hpp>
#include <caf/execution_unit.hpp>
#include <caf/scheduled_actor.hpp>
#include <cxxabi.h>
#include <fmt/format.h>

namespace weir::sim {

namespace {

using std::chrono::nanoseconds;

/// The test scheduler's own worker handles one message a step.
class worker final : public caf::execution_unit {
public:
  explicit worker(caf::scheduler::test_coordinator& scheduler,
                  caf::actor_system& system)
      : execution_unit(&system), scheduler_(scheduler) {}
  void exec_later(caf::resumable* job) override {
    scheduler_.jobs.push_back(job);
  }

private:
  caf::scheduler::test_coordinator& scheduler_;
};

std::string readable(const char* mangled) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> text{
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free};
  return status == 0 ? text.get() : mangled;
}

caf::scheduled_actor* as_actor(caf::resumable* job) {
  return dynamic_cast<caf::scheduled_actor*>(job);
}

} // namespace

sim_scheduler::sim_scheduler(const virtual_time& time, std::size_t throughput)
    : time_(time), throughput_(throughput) {
  config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(config_);
  scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
  look_at_the_clock();
  // CAF's own actors, before anything of ours.
  while (scheduler_->try_run_once()) {
  }
  settle();
}

sim_scheduler::~sim_scheduler() {
  system_->await_actors_before_shutdown(actors() == 0);
}

void sim_scheduler::enter(int node) {
  node_ = node;
}

/// What was spawned since the last look belongs to who was at work.
void sim_scheduler::settle() {
  owners_.resize(system_->latest_actor_id() + 1, node_);
}

void sim_scheduler::adopt(const caf::actor& spawned) {
  settle();
  seen_[spawned.id()] = spawned.address();
}

int sim_scheduler::owner(std::size_t job) const {
  auto* actor = as_actor(scheduler_->jobs[job]);
  return actor != nullptr && actor->id() < owners_.size() ? owners_[actor->id()]
                                                          : nobody;
}

std::string sim_scheduler::describe(std::size_t job) const {
  auto* who = as_actor(scheduler_->jobs[job]);
  if (who == nullptr)
    return "job";
  auto* next = who->mailbox().blocked() ? nullptr : who->mailbox().peek();
  auto out = fmt::format("actor {}", who->id());
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

void sim_scheduler::run(std::size_t job) {
  auto at = scheduler_->jobs.begin() + static_cast<std::ptrdiff_t>(job);
  auto* next = *at;
  scheduler_->jobs.erase(at);
  if (auto* actor = as_actor(next))
    seen_[actor->id()] = actor->address();
  worker unit{*scheduler_, *system_};
  switch (next->resume(&unit, throughput_)) {
  case caf::resumable::resume_later:
    scheduler_->jobs.push_back(next);
    break;
  default:
    intrusive_ptr_release(next);
  }
  settle();
}

bool sim_scheduler::run_actor(caf::actor_id id) {
  auto& jobs = scheduler_->jobs;
  for (std::size_t i = 0; i < jobs.size(); ++i)
    if (auto* actor = as_actor(jobs[i]);
        actor != nullptr && actor->id() == id) {
      run(i);
      return true;
    }
  return false;
}

void sim_scheduler::look_at_the_clock() {
  auto& clock = scheduler_->clock();
  clock.current_time = caf::actor_clock::time_point{time_.now};
  clock.trigger_expired_timeouts();
}

nanoseconds sim_scheduler::next_due() const {
  auto& schedule = scheduler_->clock().schedule();
  return schedule.empty()
             ? nanoseconds::max()
             : nanoseconds{schedule.begin()->first.time_since_epoch()};
}

void sim_scheduler::cancel_timers() {
  scheduler_->clock().cancel_all();
}

void sim_scheduler::kill(int node) {
  kill_actors(false, node);
}

void sim_scheduler::kill_all() {
  cancel_timers();
  kill_actors(true, nobody);
  cancel_timers();
}

/// Actors hold each other: an end from outside breaks the circles.
void sim_scheduler::kill_actors(bool all, int node) {
  auto is_meant = [&](caf::actor_id id) {
    return all || (id < owners_.size() && owners_[id] == node);
  };
  bool any = true;
  while (any) {
    any = false;
    for (auto* job : scheduler_->jobs)
      if (auto* actor = as_actor(job))
        seen_[actor->id()] = actor->address();
    for (auto i = seen_.begin(); i != seen_.end();) {
      if (!is_meant(i->first)) {
        ++i;
        continue;
      }
      if (auto actor = caf::actor_cast<caf::actor>(i->second))
        caf::anon_send<caf::message_priority::high>(
            actor, caf::exit_msg{i->second, caf::exit_reason::kill});
      i = seen_.erase(i);
      any = true;
    }
    for (auto next = runnable([&](int x) { return all || x == node; });
         !next.empty();
         next = runnable([&](int x) { return all || x == node; }))
      run(next.front());
  }
}

std::size_t sim_scheduler::actors() const {
  return system_->registry().running();
}

} // namespace weir::sim
