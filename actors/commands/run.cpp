// `run`: the node as a process, with signals, progress and an exit code.
#include <cstdio>
#include <future>
#include <unistd.h>

#include "actors/base/scheduling.hpp"
#include "actors/commands/commands.hpp"
#include "actors/commands/process_end.hpp"
#include "actors/commands/systems.hpp"
#include "actors/node/node.hpp"
#include "actors/task/task_trial.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

/// For what is of no consequence once the node has ended.
constexpr milliseconds closing_limit{1'000};
constexpr milliseconds clients_limit{1'500};
/// Rule H31: of the node itself.
constexpr milliseconds death_limit{5'000};

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

/// Answers when the node has ended, and only then leaves the actors. Errors:
/// the task is not that of the job; nothing was done then.
result<void>
run_node(const application& app, const configuration& how,
         const outside_systems& systems, process_end& ending,
         const std::function<void(const node_report&)>& on_report) {
  caf::actor_system_config config;
  // Sharing and a low throughput: a busy task must not delay a seal.
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", scheduler_threads(how.settings.threads));
  config.set("scheduler.max-throughput", scheduler_throughput);
  caf::actor_system system{config};
  if (auto wired = try_task(system, how.job, app.factory()); !wired)
    return wired;
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
  options.on_stopping = [&](const std::string& left) {
    ending.begin();
    ending.waits_for(left);
  };
  options.on_end = [&](const node_report& x) { ended.set_value(x); };
  auto report = ended.get_future();
  // The handle keeps the actor alive until it has ended.
  caf::actor node = system.spawn<node_actor>(context, options);
  ending.on_signal([to = weak_actor{node.address()}](const char* signal) {
    to.tell(stop_node{signal});
  });
  auto out = report.get();
  node = nullptr;
  if (terminal)
    std::fputc('\n', stderr);
  on_report(out);
  return {};
}

void show_end(const configuration& how, const node_report& end) {
  std::fprintf(
      stderr, "weir: job %s: %s; %llu records%s\n", how.job.name().c_str(),
      end.text.c_str(), static_cast<unsigned long long>(end.records),
      end.skipped > 0
          ? (", " + std::to_string(end.skipped) + " of them bad").c_str()
          : "");
}

} // namespace

int run_command(const application& app, const configuration& how) {
  process_end ending{"job " + how.job.name(), how.settings.stop_limit};
  raise_file_limit();
  auto systems = open_systems(how.settings);
  if (!systems)
    return report(systems.error());
  int code = 1;
  auto ran = run_node(app, how, *systems, ending, [&](const node_report& end) {
    code = static_cast<int>(end.outcome);
    show_end(how, end);
    // An actor that does not come back would be waited for without end.
    if (!end.left.empty())
      _exit(code);
    // The embedded log is closed in order; a client of a server that hangs does
    // not come back from its destructor, and nothing depends on that.
    auto rest =
        how.settings.kafka.empty() ? how.settings.stop_limit : clients_limit;
    ending.done(code, end.died ? death_limit : rest);
  });
  if (!ran)
    code = report(ran.error());
  auto left = close_systems(*systems, closing_limit);
  if (left.empty())
    return code;
  // Questions to servers that hang: they change nothing any more.
  for (auto& each : left)
    log_debug("run.left", "job", each);
  _exit(code);
}

} // namespace weir
