// `adopt`: the operator accepts a loss and lets tasks start from what is left
// (rules C4, S2).
#include <cstdio>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "actors/claim.hpp"
#include "actors/commands/commands.hpp"
#include "actors/commands/offline.hpp"
#include "stores/changelog.hpp"

namespace weir {

namespace {

constexpr milliseconds fence_limit{10'000};
constexpr std::chrono::seconds read_limit{60};

/// What a changelog partition says about its writers.
struct writers {
  /// Lanes seen from the last commit record on.
  std::set<std::string> lanes;
  std::uint64_t highest_epoch = 0;
  bool any_commit = false;
};

struct adoption {
  const configuration& how;
  outside_systems& systems;
  waiting_session& session;
  job_node job;

  result<writers> read_writers(int partition) {
    auto topic = how.job.changelog();
    auto limits = systems.streams->query_watermarks(
        topic, partition, isolation::read_uncommitted);
    if (!limits)
      return fail(limits.error());
    writers out;
    reader_options options;
    options.topic = topic;
    options.partition = partition;
    options.start = limits->low;
    // Uncommitted too: a writer with an open transaction must be fenced.
    options.level = isolation::read_uncommitted;
    auto reader = systems.streams->open_reader(options);
    if (!reader)
      return fail(reader.error());
    record_batch batch;
    auto give_up = std::chrono::steady_clock::now() + read_limit;
    while ((*reader)->position() < limits->high) {
      auto polled = (*reader)->poll(batch, 1'000);
      if (!polled)
        return fail(polled.error());
      for (auto& each : batch.records()) {
        auto by = origin_of(each);
        if (!by)
          return fail(by.error());
        if (each.key() == commit_key) {
          out.lanes.clear();
          out.any_commit = true;
        }
        out.lanes.insert(to_string(by->lane));
        out.highest_epoch = std::max(out.highest_epoch, by->epoch);
      }
      if (!batch.empty())
        continue;
      if (std::chrono::steady_clock::now() > give_up)
        return fail(ec::timed_out, "changelog " + topic + "/" +
                                       std::to_string(partition) +
                                       " cannot be read to its end");
      std::this_thread::yield();
    }
    return out;
  }

  result<void> adopt(int partition) {
    auto path = znode_paths{how.job.name()}.claim(partition);
    auto node = session.get(path);
    if (!node && node.error().code() != ec::not_found)
      return fail(node.error());
    auto seen = read_writers(partition);
    if (!seen)
      return fail(seen.error());
    claim_node claim;
    if (node) {
      auto found = decode_claim(node->data);
      if (found && found->born && seen->any_commit) {
        std::fprintf(stderr, "task %d: nothing to adopt\n", partition);
        return {};
      }
      if (found)
        claim = *found;
    }
    for (auto& lane : seen->lanes) {
      auto id = producer_prefix(how.job.name()) + lane;
      if (auto done = systems.streams->fence(id, fence_limit); !done)
        return fail(done.error().within("fencing " + id));
    }
    claim.epoch = std::max(claim.epoch, seen->highest_epoch) + 1;
    claim.released = true;
    claim.born = seen->any_commit;
    claim.generation = job.generation;
    claim.partitions = job.partitions;
    auto text = encode(claim);
    auto written = node ? session.set(path, text, node->stat.version)
                        : session.create(path, text);
    if (written)
      std::fprintf(stderr, "task %d: adopted with %s, epoch %llu\n", partition,
                   seen->any_commit ? "its changelog" : "an empty state",
                   static_cast<unsigned long long>(claim.epoch));
    return written;
  }
};

result<void> adopt_all(const configuration& how, outside_systems& systems,
                       int only) {
  auto session = waiting_session::open(*systems.coordination);
  if (!session)
    return fail(session.error());
  auto live = live_members(**session, how.job, *systems.world);
  if (!live)
    return fail(live.error());
  if (!live->empty())
    return fail(ec::locked, "job '" + how.job.name() + "' is running (" +
                                live->front() + "): stop it");
  auto job = read_job_node(**session, how.job);
  if (!job)
    return fail(job.error());
  if (only >= job->partitions)
    return fail(ec::bad_argument, "the job has tasks 0 to " +
                                      std::to_string(job->partitions - 1));
  adoption work{how, systems, **session, *job};
  for (int p = 0; p < job->partitions; ++p)
    if (only < 0 || only == p)
      if (auto done = work.adopt(p); !done)
        return fail(done.error().within("task " + std::to_string(p)));
  return {};
}

} // namespace

int adopt_command(const configuration& how, int partition, bool yes) {
  if (!yes) {
    std::fprintf(stderr,
                 "This accepts that state of job '%s' may be lost and starts "
                 "its tasks from what is left. Type its name to go on: ",
                 how.job.name().c_str());
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != how.job.name()) {
      std::fprintf(stderr, "weir: nothing was changed\n");
      return exit_code::failed;
    }
  }
  auto systems = open_systems(how.settings);
  if (!systems)
    return report(systems.error());
  auto done = adopt_all(how, *systems, partition);
  close_systems(*systems);
  return done ? exit_code::ok : report(done.error());
}

} // namespace weir
