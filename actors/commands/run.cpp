// `run`: the node as a process, with signals, progress and an exit code.
#include <csignal>
#include <cstdio>
#include <future>
#include <thread>
#include <unistd.h>

#include "actors/commands/commands.hpp"
#include "actors/commands/systems.hpp"
#include "actors/node.hpp"
#include "actors/scheduling.hpp"
#include "runtime/log.hpp"

namespace weir {

namespace {

/// Takes SIGTERM and SIGINT on a thread of its own: the first stops the node in
/// order, the second ends the process at once.
class signal_thread {
public:
  signal_thread() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGUSR2);
    // Before any other thread exists, so that all of them inherit it.
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  void start(weak_actor node) {
    thread_ = std::thread{[this, node = std::move(node)] {
      int signal = 0;
      while (sigwait(&set_, &signal) == 0 && signal != SIGUSR2) {
        if (std::exchange(asked_, true))
          _exit(128 + signal);
        node.tell(stop_node{signal == SIGTERM ? "SIGTERM" : "SIGINT"});
      }
    }};
  }

  void stop() {
    if (!thread_.joinable())
      return;
    pthread_kill(thread_.native_handle(), SIGUSR2);
    thread_.join();
  }

private:
  sigset_t set_{};
  std::thread thread_;
  bool asked_ = false;
};

void show_progress(const node_progress& x) {
  std::string waiting;
  if (!x.parked.empty())
    waiting = ", task " + std::to_string(x.parked.begin()->first) +
              " is parked: " + x.parked.begin()->second;
  else if (!x.waiting.empty())
    waiting = ", task " + std::to_string(x.waiting.begin()->first) +
              " waits: " + x.waiting.begin()->second;
  if (!x.in_call.empty())
    waiting += ", task " + std::to_string(x.in_call.begin()->first) + " is " +
               x.in_call.begin()->second;
  std::fprintf(stderr, "\r\033[K%llu records, %d of %d tasks running%s",
               static_cast<unsigned long long>(x.records), x.running, x.tasks,
               waiting.substr(0, 100).c_str());
  std::fflush(stderr);
}

node_report run_node(const application& app, const configuration& how,
                     const outside_systems& systems, signal_thread& signals) {
  caf::actor_system_config config;
  // Sharing and a low throughput: a busy task must not delay a seal.
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", scheduler_threads(how.settings.threads));
  config.set("scheduler.max-throughput", scheduler_throughput);
  caf::actor_system system{config};
  auto context = std::make_shared<node_context>(
      systems, how.job, how.settings, identify_process(*systems.world));
  std::promise<node_report> ended;
  node_options options;
  options.factory = app.factory();
  bool terminal = isatty(STDERR_FILENO) != 0;
  if (terminal)
    options.on_progress = show_progress;
  options.on_idle = [disk = systems.run.disk] {
    disk->post("memory.release", release_free_memory);
  };
  options.on_end = [&](const node_report& x) { ended.set_value(x); };
  auto report = ended.get_future();
  // The handle keeps the actor alive until it has ended.
  caf::actor node = system.spawn<node_actor>(context, options);
  signals.start(weak_actor{node.address()});
  auto out = report.get();
  node = nullptr;
  if (terminal)
    std::fputc('\n', stderr);
  signals.stop();
  return out;
}

} // namespace

int run_command(const application& app, const configuration& how) {
  signal_thread signals;
  raise_file_limit();
  auto systems = open_systems(how.settings);
  if (!systems)
    return report(systems.error());
  auto end = run_node(app, how, *systems, signals);
  close_systems(*systems);
  std::fprintf(
      stderr, "weir: job %s: %s; %llu records%s\n", how.job.name().c_str(),
      end.text.c_str(), static_cast<unsigned long long>(end.records),
      end.skipped > 0
          ? (", " + std::to_string(end.skipped) + " of them bad").c_str()
          : "");
  return static_cast<int>(end.outcome);
}

} // namespace weir
