// `run`: the node as a process, with signals, progress and an exit code.
#include <cstdio>
#include <unistd.h>

#include "actors/commands/commands.hpp"
#include "actors/commands/process_end.hpp"
#include "actors/host/hosted_node.hpp"
#include "actors/host/systems.hpp"
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

void show_end(const configuration& how, const node_report& end) {
  auto text = std::to_string(end.records) + " records";
  if (end.skipped > 0)
    text += ", " + std::to_string(end.skipped) + " of them bad";
  if (end.lost > 0)
    text +=
        "; " + std::to_string(end.lost) + " were deleted before they were read";
  std::fprintf(stderr, "weir: job %s: %s; %s\n", how.job.name().c_str(),
               end.text.c_str(), text.c_str());
}

detail::node_hooks hooks_of(const configuration& how, process_end& ending,
                            bool terminal) {
  detail::node_hooks out;
  if (terminal)
    out.on_progress = show_progress;
  out.on_stopping = [&](const std::string& left) {
    ending.begin();
    ending.waits_for(left);
  };
  out.on_end = [&how, &ending, terminal](const node_report& end) {
    if (terminal)
      std::fputc('\n', stderr);
    show_end(how, end);
    auto code = static_cast<int>(end.outcome);
    // An actor that does not come back would be waited for without end.
    if (!end.left.empty())
      _exit(code);
    // The embedded log is closed in order; a client of a server that hangs does
    // not come back from its destructor, and nothing depends on that.
    auto rest =
        how.settings.kafka.empty() ? how.settings.stop_limit : clients_limit;
    ending.done(code, end.died ? death_limit : rest);
  };
  return out;
}

} // namespace

int run_command(const application& app, const configuration& how) {
  process_end ending{"job " + how.job.name(), how.settings.stop_limit};
  raise_file_limit();
  auto node = std::make_shared<detail::hosted_node>(
      how.job, app.factory(), how.settings,
      hooks_of(how, ending, isatty(STDERR_FILENO) != 0), nullptr);
  if (auto started = node->start(); !started)
    return report(started.error());
  ending.on_signal([node](const char* signal) { node->stop(signal); });
  auto code = static_cast<int>(node->wait().outcome);
  ending.on_signal([](const char*) {});
  auto left = node->close(closing_limit);
  if (left.empty())
    return code;
  // Questions to servers that hang: they change nothing any more.
  for (auto& each : left)
    log_debug("run.left", "job", each);
  _exit(code);
}

} // namespace weir
