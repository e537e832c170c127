// `adopt`: the operator accepts a loss and lets tasks start from what is left
// (rules C4, S2).
#include <cstdio>
#include <optional>
#include <set>

#include "actors/claim/claim.hpp"
#include "actors/commands/commands.hpp"
#include "actors/commands/confirm.hpp"
#include "actors/commands/offline.hpp"
#include "actors/commands/parked_tasks.hpp"
#include "stores/changelog/commit_record.hpp"
#include "stores/replay/continuity.hpp"
#include "stores/replay/restore.hpp"

namespace weir {

namespace {

constexpr milliseconds fence_limit{10'000};

/// Who wrote to a changelog partition.
struct writers {
  /// Lanes seen from the last commit record on.
  std::set<std::string> lanes;
  std::uint64_t highest_epoch = 0;
};

/// What is left of a task once no writer is.
struct remains {
  /// The changelog has a commit of this job.
  bool any_commit = false;
  /// Its end.
  std::int64_t end = 0;
  /// Of the commit of the local database.
  std::uint64_t local_epoch = 0;
};

struct adoption {
  const configuration& how;
  outside_systems& systems;
  waiting_session& session;
  job_node job;
  std::set<std::string> fenced = {};

  /// As they are now: a fence adds markers.
  result<watermarks> limits_of(int partition) {
    return systems.streams->query_watermarks(how.job.changelog(), partition,
                                             isolation::read_uncommitted);
  }

  reader_options changelog(int partition, const watermarks& limits,
                           isolation level) {
    reader_options out;
    out.topic = how.job.changelog();
    out.partition = partition;
    out.start = limits.low;
    out.level = level;
    return out;
  }

  /// Uncommitted too: a writer with an open transaction must be fenced.
  result<writers> read_writers(int partition) {
    auto limits = limits_of(partition);
    if (!limits)
      return fail(limits.error());
    writers out;
    auto read = read_partition(
        *systems.streams,
        changelog(partition, *limits, isolation::read_uncommitted),
        limits->high, [&](const record& x) -> result<bool> {
          auto by = origin_of(x);
          if (!by)
            return fail(by.error());
          if (x.key() == commit_key)
            out.lanes.clear();
          out.lanes.insert(to_string(by->lane));
          out.highest_epoch = std::max(out.highest_epoch, by->epoch);
          return true;
        });
    if (!read)
      return fail(read.error());
    return out;
  }

  /// C1: also the producer that the claim names, which may not have written.
  result<void> fence(const writers& seen,
                     const std::optional<found_claim>& found) {
    auto prefix = producer_prefix(how.job.name());
    std::set<std::string> ids;
    for (auto& lane : seen.lanes)
      ids.insert(prefix + lane);
    if (found && !found->claim.released &&
        found->claim.producer_id.starts_with(prefix))
      ids.insert(found->claim.producer_id);
    for (auto& id : ids)
      if (fenced.count(id) == 0) {
        if (auto done = systems.streams->fence(id, fence_limit); !done)
          return fail(done.error().within("fencing " + id));
        fenced.insert(id);
      }
    return {};
  }

  /// Every committed record, to the end (R4).
  result<void> read_commits(int partition, const watermarks& limits,
                            std::optional<continuity>& same, remains& out) {
    std::uint64_t epoch = 0;
    return read_partition(
        *systems.streams,
        changelog(partition, limits, isolation::read_committed), limits.high,
        [&](const record& x) -> result<bool> {
          auto by = origin_of(x);
          if (!by)
            return fail(by.error());
          // The wrong topic, not the database, is at fault in both cases.
          if (by->epoch < epoch)
            return fail(ec::corruption,
                        "epoch " + std::to_string(by->epoch) +
                            " comes after epoch " + std::to_string(epoch) +
                            ": restore the right topic, or `reset`");
          epoch = by->epoch;
          if (same)
            same->see(x, *by);
          if (x.key() != commit_key || !x.value())
            return true;
          auto commit = decode_commit(*x.value());
          if (!commit)
            return fail(commit.error());
          if (commit->generation != job.generation)
            return fail(ec::corruption,
                        "the changelog has commits of generation " +
                            commit->generation + ", the job is of " +
                            job.generation +
                            ": restore the right topic, or `reset`");
          out.any_commit = true;
          return true;
        });
  }

  /// What a restore would find. A local database that it would refuse for the
  /// changelog (R5) is set aside.
  result<remains> settle(int partition) {
    auto limits = limits_of(partition);
    if (!limits)
      return fail(limits.error());
    auto database = open_stopped(how, systems, job, partition);
    if (!database)
      return fail(database.error());
    remains out;
    out.end = limits->high;
    std::optional<continuity> same;
    if (*database && (*database)->metadata().commit) {
      same.emplace((*database)->metadata(), limits->low);
      out.local_epoch = (*database)->metadata().commit->by.epoch;
    }
    if (auto read = read_commits(partition, *limits, same, out); !read)
      return fail(read.error());
    if (!same)
      return out;
    result<void> goes_on = same->check();
    if (auto start = restore_start((*database)->metadata(), *limits); !start)
      goes_on = fail(start.error());
    if (goes_on)
      return out;
    if (auto done = (*database)->set_aside(goes_on.error()); !done)
      return fail(done.error());
    std::fprintf(stderr,
                 "task %d: its local database is set aside: the changelog "
                 "does not continue it\n",
                 partition);
    return out;
  }

  result<void> adopt(int partition) {
    auto found = read_claim(session, how.job, partition);
    if (!found)
      return fail(found.error());
    auto seen = read_writers(partition);
    if (!seen)
      return fail(seen.error());
    if (auto done = fence(*seen, *found); !done)
      return done;
    auto left = settle(partition);
    if (!left)
      return fail(left.error());
    if (*found && (*found)->claim.born && left->any_commit) {
      std::fprintf(stderr, "task %d: its claim stands\n", partition);
      return {};
    }
    claim_node claim;
    if (*found)
      claim = (*found)->claim;
    claim.epoch =
        std::max({claim.epoch, seen->highest_epoch, left->local_epoch}) + 1;
    claim.released = true;
    claim.producer_id.clear();
    claim.born = left->any_commit;
    claim.empty_below = left->any_commit ? 0 : left->end;
    // No job commits a thousand times a second for as long as this machine's
    // clock has counted: no number comes twice.
    claim.commits_above =
        std::max(claim.commits_above,
                 static_cast<std::uint64_t>(systems.world->wall_clock_ms()));
    claim.generation = job.generation;
    claim.partitions = job.partitions;
    auto path = znode_paths{how.job.name()}.claim(partition);
    auto text = encode(claim);
    auto written = *found ? session.set(path, text, (*found)->version)
                          : session.create(path, text);
    if (written)
      std::fprintf(stderr, "task %d: adopted with %s, epoch %llu\n", partition,
                   left->any_commit ? "its changelog" : "an empty state",
                   static_cast<unsigned long long>(claim.epoch));
    return written;
  }
};

/// A task that is parked for its state tries again, with what is left.
result<void> let_try_again(waiting_session& session, const job& of,
                           int partition, outside_world& world) {
  auto parked = read_parked(session, of, partition);
  if (!parked)
    return fail(parked.error());
  if (!*parked || (*parked)->node.decided() || !is_about_state((*parked)->node))
    return {};
  auto note = decide_now(parked_decision::resume, "adopt", world);
  auto done = write_decision(session, of, partition, note);
  if (!done)
    return fail(done.error());
  return {};
}

result<void> adopt_all(waiting_session& session, const configuration& how,
                       outside_systems& systems, const job_node& job,
                       std::optional<int> only) {
  adoption work{how, systems, session, job};
  for (int p = only.value_or(0); p <= only.value_or(job.partitions - 1); ++p) {
    auto done = work.adopt(p);
    if (done)
      done = let_try_again(session, how.job, p, *systems.world);
    if (!done)
      return fail(done.error().within("task " + std::to_string(p)));
  }
  return {};
}

/// The exit code.
result<int> adopt_stopped(const configuration& how, outside_systems& systems,
                          std::optional<int> only, bool yes) {
  auto session = waiting_session::open(*systems.coordination);
  if (!session)
    return fail(session.error());
  if (auto ok = refuse_live(**session, how.job, *systems.world); !ok)
    return fail(ok.error());
  auto job = read_job_node(**session, how.job);
  if (!job)
    return fail(job.error());
  if (only && *only >= job->partitions)
    return fail(ec::bad_argument, "the job has tasks 0 to " +
                                      std::to_string(job->partitions - 1));
  if (!yes) {
    auto wanted = confirm("This accepts that state of job '" + how.job.name() +
                              "' may be lost and starts its tasks from what "
                              "is left",
                          how.job.name());
    if (!wanted)
      return fail(wanted.error());
    if (!*wanted) {
      std::fprintf(stderr, "weir: nothing was changed\n");
      return exit_code::failed;
    }
    // Somebody may have started it meanwhile.
    if (auto ok = refuse_live(**session, how.job, *systems.world); !ok)
      return fail(ok.error());
  }
  if (auto done = adopt_all(**session, how, systems, *job, only); !done)
    return fail(done.error());
  return exit_code::ok;
}

} // namespace

int adopt_command(const configuration& how, std::optional<int> only, bool yes) {
  auto systems = open_systems(how.settings);
  if (!systems)
    return report(systems.error());
  auto code = adopt_stopped(how, *systems, only, yes);
  close_systems(*systems);
  return code ? *code : report(code.error());
}

} // namespace weir
