// `generate`: fills the input topic from the application's source.
#include <csignal>
#include <cstdio>
#include <unistd.h>

#include "actors/commands/commands.hpp"
#include "actors/host/systems.hpp"
#include "runtime/stream/feeder.hpp"

namespace weir {

namespace {

volatile std::sig_atomic_t interrupted = 0;

void show(const feed_progress& x) {
  auto seconds = std::chrono::duration<double>(x.elapsed).count();
  std::string share;
  if (x.total && *x.total > 0)
    share = " (" + std::to_string(x.acknowledged * 100 / *x.total) + " %)";
  std::fprintf(stderr, "\r\033[K%llu records sent%s, %.0f/s",
               static_cast<unsigned long long>(x.acknowledged), share.c_str(),
               seconds > 0 ? static_cast<double>(x.acknowledged) / seconds : 0);
  std::fflush(stderr);
}

} // namespace

int generate_command(const application& app, const configuration& how,
                     const generate_options& options) {
  if (!app.generator())
    return report(
        error{ec::bad_argument, "this application has no source of records"});
  auto source = app.generator()(options.request);
  if (!source)
    return report(source.error());
  auto systems = open_systems(how.settings);
  if (!systems)
    return report(systems.error());
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  feed_options feeding;
  feeding.topic = how.job.topic(how.job.inputs().front());
  feeding.partitions = options.partitions;
  feeding.append = options.append;
  feeding.rate = options.rate;
  feeding.linger = how.settings.producer_linger;
  feeding.stop = [] { return interrupted != 0; };
  bool terminal = isatty(STDERR_FILENO) != 0;
  if (terminal)
    feeding.on_progress = show;
  auto fed = feed(*systems->streams, **source, feeding);
  if (terminal)
    std::fputc('\n', stderr);
  close_systems(*systems);
  if (!fed)
    return report(fed.error());
  if (fed->problem)
    return report(*fed->problem);
  std::fprintf(stderr, "weir: %llu records in topic %s\n",
               static_cast<unsigned long long>(fed->records),
               feeding.topic.c_str());
  return interrupted != 0 ? exit_code::failed : exit_code::ok;
}

} // namespace weir
