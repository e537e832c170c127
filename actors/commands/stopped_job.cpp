#include "actors/commands/stopped_job.hpp"

#include <cstdio>

#include "actors/commands/parked_tasks.hpp"
#include "stores/changelog/commit_record.hpp"
#include "stores/replay/continuity.hpp"
#include "stores/replay/restore.hpp"

namespace weir {

namespace {

result<const part*> find_store(const job& of, const std::string& name) {
  if (of.stores().empty())
    return fail(ec::bad_argument, "this job has no store");
  if (auto* found =
          of.find(role::store, name.empty() ? of.stores().front() : name))
    return found;
  return fail(ec::bad_argument, "this job has no store '" + name + "'");
}

/// Whether what the database holds can be read as it is; else why not.
result<void> is_readable(const task_database& x) {
  if (x.verdict() == database_verdict::untrusted)
    return fail(ec::damaged, x.reason());
  // R6: what an unfinished restore left is the state of no commit.
  if (x.metadata().restoring_since)
    return fail(ec::not_found, x.reason());
  return {};
}

/// A task's changelog, and where its database has no commit its claim.
struct past_of_task {
  reader_options changelog;
  claim_node claim;
};

/// Whether the changelog has no commit but those that the database is made of;
/// else why not. A crash between a commit and its apply leaves a later one, so
/// does another machine that had the task since.
result<void> is_latest(stream_system& streams, past_of_task task,
                       const database_metadata& metadata) {
  auto& where = task.changelog;
  auto ends = streams.query_watermarks(where.topic, where.partition,
                                       isolation::read_uncommitted);
  if (!ends)
    return fail(ends.error());
  auto start = restore_start(metadata, *ends);
  if (!start)
    return fail(start.error());
  auto committed = streams.query_watermarks(where.topic, where.partition,
                                            isolation::read_committed);
  if (!committed)
    return fail(committed.error());
  if (committed->high < ends->high)
    return fail(ec::not_found, "its changelog has an open transaction");
  where.start = *start;
  std::optional<continuity> same;
  if (metadata.commit)
    same.emplace(metadata, where.start);
  birth_evidence known;
  known.born = task.claim.born;
  known.empty_below = task.claim.empty_below;
  known.changelog = *ends;
  auto read = read_partition(
      streams, where, committed->high, [&](const record& x) -> result<bool> {
        auto by = origin_of(x);
        if (!by)
          return fail(by.error());
        known.any_record |= x.offset() >= known.empty_below;
        if (same)
          same->see(x, *by);
        return !same || !same->has_later();
      });
  if (!read)
    return read;
  if (same && same->has_later())
    return fail(ec::not_found, "its changelog has later commits");
  if (same)
    return same->check();
  // S2: without a commit only a proof that there never was one will do.
  if (!is_provably_new(known))
    return fail(ec::not_found, "it has committed before, or its past is "
                               "unknown");
  return {};
}

class opening {
public:
  opening(const configuration& how, waiting_session& session, stopped_job& out)
      : how_(how), session_(session), out_(out) {}

  result<void> task(int partition) {
    mention_parked(partition);
    auto database = open_stopped(how_, out_.systems, out_.node, partition);
    if (!database)
      return fail(database.error());
    if (*database)
      if (auto readable = is_readable(**database); !readable) {
        tell(partition, "is left out: " + readable.error().text());
        return {};
      }
    database_metadata none;
    auto& metadata = *database ? (*database)->metadata() : none;
    auto latest = compare(partition, metadata);
    if (metadata.commit)
      out_.databases.push_back({partition, std::move(*database)});
    if (!latest)
      tell(partition, metadata.commit
                          ? "may be shown with another state than the "
                            "committed one: " +
                                latest.error().text()
                          : "is left out, without a state in " +
                                directory(partition) + ": " +
                                latest.error().text());
    return {};
  }

private:
  std::string directory(int partition) const {
    return task_directory(how_.settings, how_.job.name(), partition);
  }

  /// What a parked task has committed is all that it has: nothing is missing.
  void mention_parked(int partition) const {
    auto parked = read_parked(session_, how_.job, partition);
    if (parked && !*parked)
      return;
    auto cause = parked ? cause_of((*parked)->node) : parked.error().text();
    std::fprintf(stderr, "weir: task %d is parked, `resume` decides: %s\n",
                 partition, cause.c_str());
  }

  result<void> compare(int partition, const database_metadata& metadata) {
    // One broker that is away need not be waited for by every task.
    if (unreachable_)
      return fail(*unreachable_);
    past_of_task task;
    task.changelog.topic = how_.job.changelog();
    task.changelog.partition = partition;
    if (!metadata.commit) {
      auto claim = read_claim(session_, how_.job, partition);
      if (!claim)
        return fail(claim.error());
      if (*claim)
        task.claim = (*claim)->claim;
    }
    auto latest = is_latest(*out_.systems.streams, task, metadata);
    if (!latest && (latest.error().code() == ec::timed_out ||
                    latest.error().code() == ec::disconnected))
      unreachable_ = latest.error();
    return latest;
  }

  void tell(int partition, const std::string& what) {
    out_.complete = false;
    std::fprintf(stderr, "weir: task %d %s\n", partition, what.c_str());
  }

  const configuration& how_;
  waiting_session& session_;
  stopped_job& out_;
  std::optional<error> unreachable_;
};

} // namespace

stopped_job::~stopped_job() {
  databases.clear();
  close_systems(systems);
}

result<void> open_stopped_job(const application& app, const configuration& how,
                              const std::string& store, stopped_job& out) {
  auto found = find_store(app.description(), store);
  if (!found)
    return fail(found.error());
  out.store = *found;
  auto systems = open_systems(how.settings);
  if (!systems)
    return fail(systems.error());
  out.systems = *systems;
  auto session = waiting_session::open(*out.systems.coordination);
  if (!session)
    return fail(session.error());
  auto node = read_job_node(**session, how.job);
  if (!node)
    return fail(node.error());
  out.node = *node;
  std::string name{out.store->name};
  auto number = node->stores.find(name);
  if (number == node->stores.end())
    return fail(ec::not_found, "the job has never had a store '" + name + "'");
  out.prefix.assign(1, static_cast<char>(number->second));
  opening work{how, **session, out};
  for (int p = 0; p < node->partitions; ++p)
    if (auto done = work.task(p); !done)
      return done;
  if (out.databases.empty())
    return fail(ec::not_found, "no task of job '" + how.job.name() +
                                   "' has its state below " +
                                   how.settings.data_directory);
  return {};
}

} // namespace weir
