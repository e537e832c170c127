#include "stores/database/task_database.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "runtime/base/log.hpp"
#include "runtime/leveldb/owner_file.hpp"

namespace weir {

namespace {

constexpr std::string_view quarantine_prefix = "db.corrupt-";

/// "db.corrupt-<n>" with the first n that is free.
std::string quarantine_name(environment& files, const std::string& directory) {
  auto names = names_in(files, directory);
  int last = 0;
  for (std::string_view name : names) {
    if (!name.starts_with(quarantine_prefix))
      continue;
    name.remove_prefix(quarantine_prefix.size());
    int n = 0;
    std::from_chars(name.data(), name.data() + name.size(), n);
    last = std::max(last, n);
  }
  return fmt::format("{}{}", quarantine_prefix, last + 1);
}

} // namespace

std::string_view to_string(database_verdict x) noexcept {
  switch (x) {
  case database_verdict::empty:
    return "empty";
  case database_verdict::usable:
    return "usable";
  case database_verdict::unfinished:
    return "unfinished";
  case database_verdict::untrusted:
    return "untrusted";
  case database_verdict::too_old:
    return "too_old";
  }
  return "?";
}

task_database::task_database(task_database_options options,
                             std::shared_ptr<outside_world> world)
    : options_(std::move(options)), world_(std::move(world)) {}

task_database::~task_database() = default;

result<std::unique_ptr<task_database>>
task_database::open(task_database_options options,
                    std::shared_ptr<outside_world> world) {
  std::unique_ptr<task_database> made{
      new task_database{std::move(options), std::move(world)}};
  auto& self = *made;
  auto& files = *self.options_.database.files;
  if (auto done = make_directories(files, self.options_.directory); !done)
    return fail(done.error());
  auto owner =
      owner_file::take(files.native(), self.options_.directory, *self.world_);
  if (!owner)
    return fail(owner.error());
  self.owner_ = std::move(*owner);
  // What a rebuild left behind when it was interrupted.
  if (auto done = remove_directory(files, self.path() + ".removed"); !done)
    return fail(done.error());
  if (auto done = self.open_or_quarantine(); !done)
    return fail(done.error());
  if (auto done = self.check_generation(); !done)
    return fail(done.error());
  self.judge();
  return made;
}

// -- opening

result<void> task_database::open_store() {
  auto store = leveldb_backend::open(path(), options_.database);
  if (!store)
    return fail(store.error());
  auto metadata = read_metadata(**store);
  if (!metadata)
    return fail(metadata.error());
  store_ = std::move(*store);
  metadata_ = std::move(*metadata);
  return {};
}

/// A full disk or a missing permission says nothing about the data: only
/// damage leads to the quarantine.
result<void> task_database::open_or_quarantine() {
  auto opened = open_store();
  if (opened || opened.error().code() != ec::damaged)
    return opened;
  if (auto done = quarantine(opened.error()); !done)
    return done;
  return open_store();
}

result<void> task_database::quarantine(const error& why) {
  auto& files = *options_.database.files;
  auto name = quarantine_name(files, options_.directory);
  auto to = options_.directory + '/' + name;
  if (auto done = rename(files, path(), to); !done)
    return fail(done.error().within(
        fmt::format("cannot set the damaged database aside as '{}'", to)));
  log_error("store.quarantined", "database", path(), "kept_as", name, "cause",
            why.text());
  return {};
}

// -- judging

result<void> task_database::check_generation() const {
  if (metadata_.generation.empty() ||
      metadata_.generation == options_.generation)
    return {};
  auto& task = options_.directory;
  return fail(ec::corruption,
              fmt::format("database '{}' belongs to generation {} of the job, "
                          "which is now {}: if the older job is gone for good, "
                          "remove its databases, the directory '{}', otherwise "
                          "use another data directory",
                          path(), metadata_.generation, options_.generation,
                          task.substr(0, task.rfind('/'))));
}

void task_database::judge() {
  auto say = [this](database_verdict verdict, std::string reason) {
    verdict_ = verdict;
    reason_ = std::move(reason);
  };
  auto limit = options_.delete_retention.count() / 2;
  auto too_old = [&](std::int64_t since) {
    return world_->wall_clock_ms() - since > limit;
  };
  if (!metadata_.boot_id.empty() && !metadata_.closed_cleanly &&
      metadata_.boot_id != world_->boot_id())
    return say(database_verdict::untrusted,
               "the machine was restarted while the database was in use");
  if (metadata_.restoring_since && too_old(*metadata_.restoring_since))
    return say(database_verdict::too_old,
               "its unfinished restore began longer ago than half of the "
               "changelog's delete.retention.ms");
  if (metadata_.commit && too_old(metadata_.commit->wall_clock_ms))
    return say(database_verdict::too_old,
               "its last commit is older than half of the changelog's "
               "delete.retention.ms");
  if (metadata_.restoring_since)
    return say(database_verdict::unfinished, "its restore was interrupted");
  if (!metadata_.commit)
    return say(database_verdict::empty, "it has no commit");
  say(database_verdict::usable, metadata_.closed_cleanly
                                    ? "it was closed cleanly"
                                    : "the machine was not restarted since");
}

// -- use and end

// Synced: once any data of this use can be on the disk, so is the mark's end.
result<void> task_database::use() {
  WEIR_ASSERT(verdict_ != database_verdict::untrusted &&
                  verdict_ != database_verdict::too_old,
              "such a database is rebuilt");
  change_batch batch;
  batch.put(metadata_key::boot, world_->boot_id());
  batch.put(metadata_key::generation, options_.generation);
  batch.erase(metadata_key::closed);
  if (auto done = store_->write(batch, true); !done)
    return done;
  in_use_ = true;
  return {};
}

result<void> task_database::rebuild(const std::optional<error>& keep_for) {
  log_info("store.rebuilt", "database", path(), "found", to_string(verdict_),
           "reason", reason_);
  store_.reset();
  in_use_ = false;
  auto& files = *options_.database.files;
  // Renamed first: a crash must not leave half a database under the name.
  auto removed = path() + ".removed";
  if (keep_for) {
    if (auto done = quarantine(*keep_for); !done)
      return done;
  } else if (auto done = rename(files, path(), removed); !done) {
    return fail(done.error().within("cannot remove the database"));
  }
  if (auto done = remove_directory(files, removed); !done)
    return done;
  if (auto done = open_store(); !done)
    return done;
  judge();
  return use();
}

result<void> task_database::close() {
  result<void> done;
  if (in_use_ && store_) {
    change_batch batch;
    batch.put(metadata_key::closed, "");
    done = store_->write(batch, true);
  }
  // What only a compaction met, the next open need not meet: it would use it.
  if (!done && done.error().code() == ec::damaged)
    if (auto aside = set_aside(done.error()); !aside)
      return aside;
  in_use_ = false;
  store_.reset();
  owner_.reset();
  return done;
}

result<void> task_database::set_aside(const error& why) {
  in_use_ = false;
  store_.reset();
  auto done = quarantine(why);
  owner_.reset();
  return done;
}

} // namespace weir
