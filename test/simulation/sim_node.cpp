#include "test/simulation/sim_node.hpp"

#include <algorithm>

#include "actors/host/systems.hpp"

namespace weir::sim {

namespace {

using std::chrono::nanoseconds;

/// What a full disk has room for all the same.
constexpr std::size_t small_write = 64;

} // namespace

sim_node::sim_node(machine& on, const sim_servers& servers,
                   sim_scheduler& scheduler, int number)
    : on_(on), scheduler_(scheduler), number_(number),
      pid_(on.processes.start()),
      world_(std::make_shared<node_world>(
          on.time, on.ids, on.processes, pid_, on.host_of(number),
          on.disk_of(number).boot_id(), on.planned)),
      streams_(std::make_shared<stream_setup>(stream_setup{
          servers.streams, on.faults, on.plan.lie, servers.late, servers.claims,
          on.chance, on.time, on.history, on.planned, on.plan.seed % 2 == 0})),
      network_(std::make_shared<sim_network>(servers.coordination,
                                             on.broken_network, on.chance,
                                             on.time, on.planned)) {
  on.node_of_process[pid_] = number;
  on.stopping.erase(number);
  on.gave_up_at_stop.erase(number);
}

sim_node::~sim_node() = default;

void sim_node::start(task_factory factory) {
  outside_systems outside;
  outside.world = world_;
  outside.files = on_.disk_of(number_).current();
  outside.streams = make_sim_streams(streams_);
  outside.coordination = network_;
  outside.run = {make_executor("disk", 2), make_executor("net", 4),
                 make_executor("fence", 2), make_executor("bury", 1)};
  outside.handler_probe = on_.plan.probe;
  outside.make_executor = [this](std::string name) {
    return make_executor(std::move(name), 1);
  };
  auto context = std::make_shared<node_context>(outside, on_.work.job,
                                                on_.settings_of(number_),
                                                identify_process(*world_));
  node_options options;
  options.factory = std::move(factory);
  options.on_end = [this](const node_report& x) { report_ = x; };
  scheduler_.enter(number_);
  node_ = caf::actor_cast<caf::actor>(
      scheduler_.system().spawn<node_actor>(context, options));
  scheduler_.adopt(node_);
}

std::shared_ptr<sim_executor> sim_node::make_executor(std::string name,
                                                      std::size_t width) {
  auto takes = on_.duration_of(name);
  executors_.push_back(std::make_shared<sim_executor>(
      std::move(name), width, on_.time, std::move(takes)));
  return executors_.back();
}

nanoseconds sim_node::next_due() const {
  auto next = network_->next_due();
  next = std::min(next, wakes_at_.value_or(next));
  next = std::min(next, has_room_at_.value_or(next));
  if (may_run())
    for (auto& each : executors_)
      next = std::min(next, each->next_due());
  return next;
}

void sim_node::pass() {
  network_->pass();
  if (wakes_at_ && *wakes_at_ <= on_.time.now) {
    wakes_at_.reset();
    network_->resume();
  }
  if (has_room_at_ && *has_room_at_ <= on_.time.now) {
    has_room_at_.reset();
    on_.disk_of(number_).set_full(false);
  }
}

void sim_node::pause(nanoseconds until) {
  if (dead_)
    return;
  wakes_at_ = until;
  network_->pause();
}

void sim_node::fill_disk(std::optional<nanoseconds> until) {
  on_.disk_of(number_).set_full(true, small_write);
  has_room_at_ = until;
}

void sim_node::crash() {
  dead_ = true;
  streams_->dead = true;
  on_.processes.end(pid_);
  network_->die();
  close();
  scheduler_.enter(number_);
  scheduler_.kill(number_);
  executors_.clear();
  wakes_at_.reset();
  has_room_at_.reset();
  on_.disk_of(number_).set_full(false);
}

void sim_node::stop_executors() {
  for (auto& each : executors_)
    each->stop();
}

void sim_node::close() {
  for (auto& each : executors_)
    each->kill();
  let_go();
}

} // namespace weir::sim
