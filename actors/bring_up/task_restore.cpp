#include "actors/bring_up/task_restore.hpp"

#include <algorithm>

#include "runtime/base/log.hpp"
#include "runtime/job/topics.hpp"
#include "runtime/leveldb/disk_room.hpp"

namespace weir {

namespace {

/// One step's share, so that tasks restore side by side on few threads.
constexpr int polls_of_a_step = 32;
constexpr std::size_t records_of_a_poll = 1000;
/// How long a step waits for the broker before it lets others work.
constexpr milliseconds wait_of_a_step{100};
/// In an error's text; the parked node has all of them.
constexpr std::size_t most_named_gaps = 3;

} // namespace

task_restore::task_restore(std::shared_ptr<node_context> context, int partition,
                           claim_node claim, job_node job)
    : context_(std::move(context)), partition_(partition), job_(std::move(job)),
      restored_(std::make_shared<restored_task>()) {
  restored_->partition = partition;
  restored_->partitions = job_.partitions;
  restored_->claim = std::move(claim);
  restored_->store_numbers = job_.stores;
  restored_->relay = std::make_shared<ready_relay>();
}

task_restore::~task_restore() = default;

result<void> task_restore::open(bool damaged, std::size_t room) {
  auto directory =
      task_directory(context_->settings, context_->job.name(), partition_);
  if (room > 0)
    if (auto found = check_room(*context_->outside.files, directory, room);
        !found)
      return found;
  task_database_options options;
  options.directory = directory;
  options.generation = job_.generation;
  options.delete_retention = changelog_delete_retention;
  options.database.files = context_->outside.files;
  options.database.write_buffer_bytes = context_->memory.write_buffer;
  auto opened = task_database::open(options, context_->outside.world);
  if (!opened)
    return fail(opened.error());
  restored_->database = std::move(*opened);
  auto& database = *restored_->database;
  if (damaged)
    return rebuild("reading it failed");
  switch (database.verdict()) {
  case database_verdict::untrusted:
  case database_verdict::too_old:
    return rebuild(database.reason());
  default:
    return database.use();
  }
}

result<void> task_restore::rebuild(const std::string& why) {
  log_warning("task.rebuild", "task", partition_, "why", why);
  return restored_->database->rebuild();
}

result<void> task_restore::locate() {
  auto limits = context_->outside.streams->query_watermarks(
      context_->job.changelog(), partition_, isolation::read_uncommitted);
  if (!limits)
    return fail(limits.error());
  limits_ = *limits;
  auto start = restore_start(restored_->database->metadata(), limits_);
  if (!start && start.error().code() == ec::offset_out_of_range) {
    // Records were deleted, perhaps such as only the database has.
    log_warning("task.rebuild", "task", partition_, "why",
                start.error().text());
    if (auto done = restored_->database->rebuild(start.error()); !done)
      return done;
    start = restore_start(restored_->database->metadata(), limits_);
  }
  if (!start)
    return fail(start.error().within(context_->job.changelog() + "/" +
                                     std::to_string(partition_)));
  start_ = *start;
  return open_changelog();
}

result<void> task_restore::open_changelog() {
  restore_options options;
  options.changelog =
      context_->job.changelog() + "/" + std::to_string(partition_);
  options.generation = job_.generation;
  options.start = start_;
  options.started_ms = context_->outside.world->wall_clock_ms();
  options.limit = changelog_delete_retention / 2;
  options.empty_below = restored_->claim.empty_below;
  options.batch_bytes = context_->memory.restore;
  if (!restorer_)
    restorer_ = std::make_unique<restorer>(
        restored_->database->store(), restored_->database->metadata(), options);
  batch_ = std::make_unique<record_batch>();
  reader_.reset();
  ready_ = std::make_shared<ready_signal>();
  reader_options where;
  where.topic = context_->job.changelog();
  where.partition = partition_;
  where.start = start_;
  where.read_ahead_bytes = context_->memory.restore_ahead;
  where.on_ready = [signal = ready_] { signal->set(); };
  auto reader = context_->outside.streams->open_reader(std::move(where));
  if (!reader)
    return fail(reader.error());
  reader_ = std::move(*reader);
  return {};
}

result<bool> task_restore::read_some() {
  for (int i = 0; i < polls_of_a_step; ++i) {
    // R4: the end is a position, not a record: markers take offsets.
    if (reader_->position() >= limits_.high)
      return true;
    auto polled = reader_->poll(*batch_, records_of_a_poll);
    if (!polled)
      return fail(polled.error());
    if (batch_->empty() && reader_->position() < limits_.high) {
      ready_->wait(wait_of_a_step);
      return false;
    }
    for (auto& each : batch_->records()) {
      if (each.offset() >= limits_.high)
        break;
      auto step = restorer_->feed(each);
      if (!step)
        return fail(step.error());
      if (*step == restore_step::read_again) {
        if (auto again = open_changelog(); !again)
          return fail(again.error());
        return false;
      }
    }
  }
  return false;
}

std::string task_restore::progress() const {
  return "changelog " + context_->job.changelog() + "/" +
         std::to_string(partition_) + " read to offset " +
         std::to_string(reader_ ? reader_->position() : start_) + " of " +
         std::to_string(limits_.high);
}

result<void> task_restore::finish() {
  auto summary = restorer_->finish(reader_->position(),
                                   context_->outside.world->wall_clock_ms());
  batch_.reset();
  reader_.reset();
  restorer_.reset();
  if (!summary) {
    // What is not the state of a commit must not be gone on with once the
    // changelog is a better one.
    if (summary.error().code() == ec::corruption &&
        restored_->database->verdict() != database_verdict::usable)
      if (auto done = rebuild(summary.error().text()); !done)
        return done;
    return fail(summary.error());
  }
  restored_->at_commit = true;
  highest_epoch_ = summary->highest_epoch;
  // Torn transactions of old, which a later commit repaired, leave no keys.
  if (!summary->torn_keys.empty())
    log_error("task.torn_transaction", "task", partition_, "records",
              summary->torn_records, "keys", summary->torn_keys.size());
  if (!summary->commit)
    if (auto ok = check_empty(summary->any_record); !ok)
      return ok;
  restored_->commit = summary->commit;
  restored_->torn = std::move(summary->torn_keys);
  restored_->first_commit = !restored_->torn.empty();
  log_info("task.restored", "task", partition_, "records", summary->records,
           "commits", summary->commits, "position",
           summary->position.value_or(0));
  return {};
}

result<void> task_restore::check_empty(bool any_record) {
  birth_evidence known;
  known.born = restored_->claim.born;
  known.changelog = limits_;
  known.empty_below = restored_->claim.empty_below;
  known.any_record = any_record || start_ != limits_.low;
  if (is_provably_new(known))
    return {};
  return fail(ec::data_loss,
              "task " + std::to_string(partition_) + " of job '" +
                  context_->job.name() +
                  "' has committed before (or its past is unknown), but no "
                  "commit is left in its changelog or local database: restore "
                  "the changelog, or accept the loss with `adopt`");
}

result<void> task_restore::open_inputs() {
  std::vector<placed_input> places;
  for (auto& each : context_->job.sources()) {
    auto internal = context_->job.find(role::internal, each) != nullptr;
    auto placed = place_input(context_->job.topic(each), internal);
    if (!placed)
      return fail(placed.error());
    places.push_back(std::move(*placed));
  }
  if (auto crossed = cross_gaps(places); !crossed)
    return crossed;
  for (auto& each : places)
    if (auto done = open_input(std::move(each)); !done)
      return done;
  return {};
}

/// Where the task goes on in an input, and what that holds.
result<task_restore::placed_input>
task_restore::place_input(const std::string& topic, bool internal) {
  auto limits = context_->outside.streams->query_watermarks(
      topic, partition_, isolation::read_committed);
  if (!limits)
    return fail(limits.error());
  placed_input out;
  out.limits = *limits;
  out.position.topic = topic;
  const input_position* known = nullptr;
  if (restored_->commit)
    for (auto& each : restored_->commit->inputs)
      if (each.topic == topic)
        known = &each;
  if (known != nullptr) {
    out.position = *known;
  } else {
    // R3: what the policy resolves is committed before the first record.
    // An internal topic is state: all of it counts.
    auto all = internal || context_->settings.start == start_policy::earliest;
    out.position.next_offset = all ? limits->low : limits->high;
    restored_->first_commit = true;
  }
  return out;
}

/// The commonest accident with Kafka: retention was quicker than the job.
result<void> task_restore::cross_gaps(std::vector<placed_input>& places) {
  std::vector<input_gap> gaps;
  bool decided = true;
  for (auto& each : places)
    if (each.position.next_offset < each.limits.low) {
      gaps.push_back(
          {each.position.topic, each.position.next_offset, each.limits.low});
      decided = decided && may_cross(gaps.back());
    }
  if (!decided)
    return refuse_gaps(gaps);
  for (auto& each : places)
    if (each.position.next_offset < each.limits.low)
      cross_gap(each.position, each.limits.low);
  return {};
}

bool task_restore::may_cross(const input_gap& x) const {
  if (context_->settings.on_lost_input == lost_input_policy::go_on)
    return true;
  if (!decision_)
    return false;
  auto open = open_decisions(*decision_);
  // It may have grown since.
  return std::any_of(open.begin(), open.end(), [&](const open_decision& each) {
    return each.is_gap() && each.topic == x.topic && each.offset == x.offset;
  });
}

/// All that there are: one decision is about them.
result<void> task_restore::refuse_gaps(const std::vector<input_gap>& gaps) {
  input_fault fault;
  fault.topic = gaps.front().topic;
  fault.offset = gaps.front().offset;
  fault.until = gaps.front().until;
  fault.more_gaps.assign(gaps.begin() + 1, gaps.end());
  fault_ = std::move(fault);
  std::string what;
  for (std::size_t i = 0; i < std::min(gaps.size(), most_named_gaps); ++i) {
    auto& each = gaps[i];
    what += (what.empty() ? "input " : "; input ") + each.topic + "/" +
            std::to_string(partition_) + ": " +
            std::to_string(each.until - each.offset) +
            " records, from offset " + std::to_string(each.offset) + " to " +
            std::to_string(each.until - 1) +
            ", were deleted before they were processed";
  }
  if (gaps.size() > most_named_gaps)
    what += "; and so in " + std::to_string(gaps.size() - most_named_gaps) +
            " other inputs";
  return fail(ec::data_loss,
              what + ": restore the topic, or go on behind them with `resume " +
                  std::to_string(partition_) + " --skip`");
}

void task_restore::cross_gap(input_position& at, std::int64_t low) {
  auto lost = low - at.next_offset;
  bool always = context_->settings.on_lost_input == lost_input_policy::go_on;
  log_error("input.lost", "task", partition_, "input",
            at.topic + "/" + std::to_string(partition_), "from", at.next_offset,
            "to", low - 1, "records", lost, "by",
            always ? "--on-lost-input continue" : "resume --skip");
  at.next_offset = low;
  // The record that the fingerprint is of is gone too.
  at.last.reset();
  // It is committed before the first record, as a start position is (R3).
  restored_->first_commit = true;
  restored_->lost += static_cast<std::uint64_t>(lost);
}

result<void> task_restore::open_input(placed_input place) {
  auto& position = place.position;
  auto next = position.next_offset;
  if (next > place.limits.high)
    return fail(ec::data_loss,
                "input " + position.topic + "/" + std::to_string(partition_) +
                    ": the task goes on at offset " + std::to_string(next) +
                    ", but the topic ends at " +
                    std::to_string(place.limits.high) +
                    ": it was recreated or truncated; restore the topic, or "
                    "`reset` the job");
  reader_options options;
  options.topic = position.topic;
  options.partition = partition_;
  options.start = next;
  // R5: begin with the last consumed record, to see that it is the same one.
  if (position.last && position.last->offset >= place.limits.low)
    options.start = std::min(next, position.last->offset);
  options.read_ahead_bytes = context_->memory.read_ahead;
  options.on_ready = [relay = restored_->relay] { relay->notify(); };
  auto reader = context_->outside.streams->open_reader(std::move(options));
  if (!reader)
    return fail(reader.error());
  task_input input;
  input.topic = position.topic;
  input.position = std::move(position);
  input.reader = std::move(*reader);
  restored_->inputs.push_back(std::move(input));
  return {};
}

std::shared_ptr<restored_task> task_restore::take() {
  return std::move(restored_);
}

} // namespace weir
