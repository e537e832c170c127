#include "actors/host/systems.hpp"

#include <cstdio>

#include <sys/resource.h>
#include <unistd.h>

#include "actors/host/shared_embedded.hpp"
#include "runtime/base/executor_watch.hpp"
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

[[noreturn]] void end_process(const std::string& job) {
  std::fprintf(stderr,
               "weir: too many calls do not come back, the last of them: %s; "
               "the process ends\n",
               job.c_str());
  _exit(1);
}

/// All nodes of the process: their claims name the process only.
std::shared_ptr<living_ids> ids_of_process() {
  static auto out = std::make_shared<living_ids>();
  return out;
}

result<void> use_embedded(const settings& how, outside_systems& out) {
  auto shared = shared_embedded::open(embedded_directory(how), out.world);
  if (!shared)
    return fail(shared.error());
  auto& parts = **shared;
  // Each keeps all of it.
  out.files = {*shared, parts.files()};
  out.streams = {*shared, parts.streams()};
  out.coordination = {*shared, parts.coordination()};
  return {};
}

result<std::unique_ptr<stream_system>> open_brokers(const settings& how) {
  kafka_options options;
  options.brokers = how.kafka;
  options.properties = how.kafka_properties;
  return open_kafka(options);
}

result<void> open_servers(const settings& how, outside_systems& out) {
  out.files = make_posix_environment();
  auto streams = open_brokers(how);
  if (!streams)
    return fail(streams.error());
  out.streams = std::move(*streams);
  out.coordination = make_zookeeper({how.zookeeper});
  return {};
}

} // namespace

result<outside_systems>
open_systems(const settings& how,
             std::function<void(const std::string&)> on_too_many) {
  outside_systems out;
  out.log = current_log();
  out.world = make_outside_world();
  out.living = ids_of_process();
  auto watch = std::make_shared<executor_watch>(
      most_written_off, on_too_many ? std::move(on_too_many) : end_process);
  out.run = make_executors(watch);
  out.make_executor = [watch](std::string name) -> std::shared_ptr<executor> {
    return make_thread_executor(std::move(name), 1, watch);
  };
  auto opened =
      how.kafka.empty() ? use_embedded(how, out) : open_servers(how, out);
  if (!opened) {
    close_systems(out, milliseconds{0});
    return fail(opened.error());
  }
  return out;
}

result<std::shared_ptr<stream_system>> open_streams(const settings& how) {
  if (!how.kafka.empty()) {
    auto streams = open_brokers(how);
    if (!streams)
      return fail(streams.error());
    return std::shared_ptr<stream_system>{std::move(*streams)};
  }
  auto shared =
      shared_embedded::open(embedded_directory(how), make_outside_world());
  if (!shared)
    return fail(shared.error());
  return std::shared_ptr<stream_system>{*shared, (*shared)->streams()};
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
