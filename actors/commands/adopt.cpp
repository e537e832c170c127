// `adopt`: the operator accepts a loss and lets tasks start from what is left
// (rules C4, S2).
#include <cstdio>
#include <iostream>
#include <map>
#include <set>

#include "actors/claim.hpp"
#include "actors/commands/commands.hpp"
#include "actors/commands/offline.hpp"
#include "stores/changelog.hpp"
#include "stores/restore.hpp"

namespace weir {

namespace {

constexpr milliseconds fence_limit{10'000};

/// Who wrote to a changelog partition.
struct writers {
  /// Lanes seen from the last commit record on.
  std::set<std::string> lanes;
  std::uint64_t highest_epoch = 0;
};

/// A task's database on this machine and whether its changelog goes on where it
/// is (R5): if not, every restore would refuse it.
class local_state {
public:
  explicit local_state(std::unique_ptr<task_database> database)
      : database_(std::move(database)) {}

  /// Every committed record of the changelog, in order.
  void see(const record& x, const origin& by) {
    auto decoded = x.key() == commit_key && x.value()
                       ? decode_commit(*x.value())
                       : result<commit_record>{fail(ec::bad_format, "")};
    auto& position = facts().position;
    if (position && x.offset() == position->offset - 1)
      other_record_ |= !decoded || checksum(*decoded) != position->checksum;
    met_ |= decoded && !before(by, facts().commit->by);
  }
  bool has_commit() const { return database_ && facts().commit.has_value(); }
  bool goes_on(const watermarks& limits) const {
    return met_ && !other_record_ && restore_start(facts(), limits);
  }
  result<void> set_aside() {
    return database_->set_aside(
        {ec::data_loss, "its changelog is another one, adopted by operator"});
  }

private:
  const database_facts& facts() const { return database_->facts(); }

  std::unique_ptr<task_database> database_;
  bool other_record_ = false;
  bool met_ = false;
};

struct adoption {
  const configuration& how;
  outside_systems& systems;
  waiting_session& session;
  job_node job;

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
    auto limits = systems.streams->query_watermarks(
        how.job.changelog(), partition, isolation::read_uncommitted);
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

  result<void> fence(const writers& found) {
    for (auto& lane : found.lanes) {
      auto id = producer_prefix(how.job.name()) + lane;
      if (auto done = systems.streams->fence(id, fence_limit); !done)
        return fail(done.error().within("fencing " + id));
    }
    return {};
  }

  /// Whether the changelog has a commit, once no writer is left. A local
  /// database that it does not continue is set aside.
  result<bool> settle(int partition) {
    auto limits = systems.streams->query_watermarks(
        how.job.changelog(), partition, isolation::read_committed);
    if (!limits)
      return fail(limits.error());
    auto database = open_stopped(how, systems, job, partition);
    if (!database)
      return fail(database.error());
    local_state local{std::move(*database)};
    bool any_commit = false;
    auto read =
        read_partition(*systems.streams,
                       changelog(partition, *limits, isolation::read_committed),
                       limits->high, [&](const record& x) -> result<bool> {
                         auto by = origin_of(x);
                         if (!by)
                           return fail(by.error());
                         any_commit |= x.key() == commit_key;
                         if (local.has_commit())
                           local.see(x, *by);
                         return true;
                       });
    if (!read)
      return fail(read.error());
    if (local.has_commit() && !local.goes_on(*limits)) {
      if (auto done = local.set_aside(); !done)
        return fail(done.error());
      std::fprintf(stderr,
                   "task %d: its local database is set aside, the changelog "
                   "does not continue it\n",
                   partition);
    }
    return any_commit;
  }

  result<void> adopt(int partition) {
    auto path = znode_paths{how.job.name()}.claim(partition);
    auto node = session.get(path);
    if (!node && node.error().code() != ec::not_found)
      return fail(node.error());
    auto seen = read_writers(partition);
    if (!seen)
      return fail(seen.error());
    if (auto done = fence(*seen); !done)
      return done;
    auto any_commit = settle(partition);
    if (!any_commit)
      return fail(any_commit.error());
    claim_node claim;
    if (node) {
      auto found = decode_claim(node->data);
      if (found && found->born && *any_commit) {
        std::fprintf(stderr, "task %d: its claim stands\n", partition);
        return {};
      }
      if (found)
        claim = *found;
    }
    claim.epoch = std::max(claim.epoch, seen->highest_epoch) + 1;
    claim.released = true;
    claim.born = *any_commit;
    claim.generation = job.generation;
    claim.partitions = job.partitions;
    auto text = encode(claim);
    auto written = node ? session.set(path, text, node->stat.version)
                        : session.create(path, text);
    if (written)
      std::fprintf(stderr, "task %d: adopted with %s, epoch %llu\n", partition,
                   *any_commit ? "its changelog" : "an empty state",
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
