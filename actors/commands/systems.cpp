#include "actors/commands/systems.hpp"

#include <cstdio>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/executor_watch.hpp"
#include "runtime/embedded/coordination/coordination.hpp"
#include "runtime/embedded/log/streams.hpp"
#include "runtime/kafka/kafka.hpp"
#include "runtime/zookeeper/zookeeper.hpp"

namespace weir {

namespace {

/// Rule H32: written off beyond this, the process is better started anew.
constexpr int most_written_off = 4;

executors make_executors(const std::shared_ptr<executor_watch>& watch) {
  return {make_thread_executor("weir-disk", 2, watch),
          make_thread_executor("weir-net", 4, watch),
          make_thread_executor("weir-fence", 2, watch),
          make_thread_executor("weir-bury", 1, watch)};
}

result<void> open_embedded_systems(const settings& how, outside_systems& out) {
  embedded_options options;
  options.directory = embedded_directory(how);
  options.env = &out.files->native();
  // Also keeps the files as long as the database.
  options.run_background = [files = out.files] { files->run_scheduled(); };
  auto database = open_embedded(options, *out.world);
  if (!database)
    return fail(database.error());
  auto streams = make_embedded_streams(*database, out.world);
  if (!streams)
    return fail(streams.error());
  out.streams = std::move(*streams);
  std::shared_ptr<executor> callbacks = make_thread_executor("weir-coord", 1);
  out.coordination = make_embedded_coordination(*database, callbacks);
  return {};
}

result<void> open_servers(const settings& how, outside_systems& out) {
  kafka_options options;
  options.brokers = how.kafka;
  options.properties = how.kafka_properties;
  auto streams = open_kafka(options);
  if (!streams)
    return fail(streams.error());
  out.streams = std::move(*streams);
  out.coordination = make_zookeeper({how.zookeeper});
  return {};
}

} // namespace

result<outside_systems> open_systems(const settings& how) {
  // State is nobody else's business (LevelDB creates files with mode 0644).
  umask(077);
  outside_systems out;
  out.world = make_outside_world();
  out.files = make_posix_environment();
  auto watch = std::make_shared<executor_watch>(
      most_written_off, [](const std::string& job) {
        std::fprintf(stderr,
                     "weir: too many calls do not come back, the last of "
                     "them: %s; the process ends\n",
                     job.c_str());
        _exit(1);
      });
  out.run = make_executors(watch);
  out.make_executor = [watch](std::string name) -> std::shared_ptr<executor> {
    return make_thread_executor(std::move(name), 1, watch);
  };
  auto opened = how.kafka.empty() ? open_embedded_systems(how, out)
                                  : open_servers(how, out);
  if (!opened) {
    close_systems(out, milliseconds{0});
    return fail(opened.error());
  }
  return out;
}

std::vector<std::string> close_systems(outside_systems& systems,
                                       milliseconds patience) {
  auto& run = systems.run;
  if (run.disk)
    run.disk->stop();
  std::vector<std::string> left;
  auto until = std::chrono::steady_clock::now() + patience;
  for (auto& each : {run.net, run.fence, run.bury}) {
    if (!each)
      continue;
    auto rest = std::chrono::ceil<milliseconds>(
        until - std::chrono::steady_clock::now());
    auto names = each->stop_within(std::max(rest, milliseconds{0}));
    left.insert(left.end(), names.begin(), names.end());
  }
  // What is left may still use them.
  if (!left.empty())
    return left;
  systems.coordination.reset();
  systems.streams.reset();
  return {};
}

process_identity identify_process(outside_world& world) {
  auto pid = world.process_id();
  return {world.host_name(), world.boot_id(), pid, world.process_start(pid),
          world.pid_namespace()};
}

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
      limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

} // namespace weir
