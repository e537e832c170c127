#include "stores/replay/restore.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "runtime/base/log.hpp"
#include "stores/changelog/commit_checker.hpp"
#include "stores/changelog/raw_key.hpp"
#include "stores/kv/task_state.hpp"
#include "stores/replay/continuity.hpp"
#include "stores/replay/restore_writer.hpp"

namespace weir {

// R5.
result<std::int64_t> restore_start(const database_metadata& metadata,
                                   const watermarks& limits) {
  if (!metadata.commit || !metadata.position)
    return limits.low;
  auto position = metadata.position->offset;
  if (position > limits.high)
    return fail(ec::data_loss,
                fmt::format("the changelog ends at {}, but the store has "
                            "applied it up to {}: it was truncated, recreated "
                            "or restored from a backup; `adopt` goes on "
                            "from what the changelog has",
                            limits.high, position));
  if (position < limits.low)
    return fail(ec::offset_out_of_range,
                fmt::format("the changelog begins at {}, the store ends "
                            "before, at {}: rebuild it",
                            limits.low, position));
  return std::max(limits.low, position - 1);
}

// -- restorer

struct restorer::parts {
  using outcome = result<restore_step>;

  parts(backend& store, const database_metadata& metadata,
        restore_options options);

  outcome data(const record& x, const origin& by);
  outcome commit(const record& x, const origin& by);
  outcome mismatch(const commit_record& x, const std::string& why);
  result<void> accept(const commit_record& x, std::int64_t position);
  result<void> check_anchor(const record& x) const;
  result<void> check_end(std::int64_t end, std::int64_t now_ms) const;
  result<void> discard_torn();
  result<void> check_whole();
  result<void> list_torn();
  error named(const error& x) const { return x.within(options.changelog); }

  backend& store;
  restore_options options;
  /// As found.
  std::optional<changelog_position> anchor;
  std::optional<commit_record> found;
  std::int64_t since_ms;
  /// The state comes from the changelog alone, or a restore was interrupted.
  bool check_digest;

  commit_checker checker;
  restore_writer writer;
  /// Of the record expected next: a lower offset is a repetition.
  std::int64_t next_offset;
  bool read_before = false;
  /// Whether the changelog has the store's commit or a later one.
  bool met_found = false;
  /// Keys and bytes of the records held.
  std::uint64_t held_bytes = 0;
  std::vector<std::string> held_torn;
  std::set<std::string> torn;
  restore_summary summary;
};

restorer::parts::parts(backend& store, const database_metadata& metadata,
                       restore_options o)
    : store(store), options(std::move(o)), anchor(metadata.position),
      found(metadata.commit),
      since_ms(metadata.restoring_since.value_or(options.started_ms)),
      check_digest(!metadata.commit || metadata.restoring_since),
      checker(options.generation),
      writer(store, metadata, options.batch_bytes, options.started_ms),
      next_offset(options.start) {
  summary.commit = metadata.commit;
  if (metadata.position)
    summary.position = metadata.position->offset;
  if (metadata.commit)
    summary.highest_epoch = metadata.commit->by.epoch;
}

restorer::parts::outcome restorer::parts::data(const record& x,
                                               const origin& by) {
  auto key = *x.key();
  auto torn_before = checker.data(by, key, x.value());
  if (!torn_before)
    return fail(torn_before.error());
  if (*torn_before)
    if (auto done = discard_torn(); !done)
      return fail(done.error());
  // R6: what the store has is not applied again, nor torn for it.
  if (summary.commit && !before(summary.commit->by, by))
    return restore_step::go_on;
  held_bytes += key.size() + x.value().value_or(std::string_view{}).size();
  if (!torn.empty())
    held_torn.emplace_back(key);
  if (auto done = writer.hold(key, x.value()); !done)
    return fail(done.error());
  return restore_step::go_on;
}

restorer::parts::outcome restorer::parts::commit(const record& x,
                                                 const origin& by) {
  if (!x.value())
    return fail(
        ec::corruption,
        fmt::format("the commit record at offset {} was deleted", x.offset()));
  auto decoded = decode_commit(*x.value());
  if (!decoded)
    return fail(decoded.error().within(fmt::format("offset {}", x.offset())));
  auto answer = checker.commit(by, *decoded);
  if (!answer)
    return fail(answer.error());
  if (answer->torn_before)
    if (auto done = discard_torn(); !done)
      return fail(done.error());
  if (!answer->matches)
    return mismatch(*decoded, answer->why);
  if (auto done = accept(*decoded, x.offset() + 1); !done)
    return fail(done.error());
  return restore_step::go_on;
}

result<void> restorer::parts::accept(const commit_record& x,
                                     std::int64_t position) {
  if (found && !before(x.by, found->by))
    met_found = true;
  if (summary.commit && before(x.by, summary.commit->by))
    return {};
  if (summary.commit && x.by == summary.commit->by) {
    if (x != *summary.commit)
      return fail(ec::corruption,
                  fmt::format("the changelog and the store have different "
                              "commits of {}",
                              to_string(x.by)));
    // The position may have been too low (R6).
    if (position <= summary.position.value_or(0))
      return {};
  } else {
    ++summary.commits;
    summary.records += writer.held();
    summary.bytes += held_bytes;
  }
  for (auto& key : std::exchange(held_torn, {}))
    torn.erase(key);
  held_bytes = 0;
  summary.commit = x;
  summary.position = position;
  return writer.complete(x, position);
}

// R1.
restorer::parts::outcome restorer::parts::mismatch(const commit_record& x,
                                                   const std::string& why) {
  if (std::exchange(read_before, true))
    return fail(ec::corruption,
                fmt::format("the commit record of {} contradicts the "
                            "changelog, read twice: {}",
                            to_string(x.by), why));
  log_warning("restore.read_again", "changelog", options.changelog, "commit",
              to_string(x.by), "cause", why);
  std::set<std::string> ignored;
  if (auto done = writer.discard(ignored); !done)
    return fail(done.error());
  checker = commit_checker{options.generation};
  next_offset = options.start;
  held_bytes = 0;
  held_torn.clear();
  torn.clear();
  summary.torn_records = 0;
  return restore_step::read_again;
}

// R5: offsets alone do not identify a topic.
result<void> restorer::parts::check_anchor(const record& x) const {
  if (!anchor || x.offset() != anchor->offset - 1 || is_anchor(x, *anchor))
    return {};
  return fail(ec::corruption,
              fmt::format("the record at offset {} is not the commit record of "
                          "{}, which the store has from there: the topic was "
                          "recreated, truncated or restored from a backup; "
                          "`adopt` goes on from what the changelog has",
                          x.offset(), to_string(anchor->by)));
}

result<void> restorer::parts::discard_torn() {
  if (writer.held() == 0)
    return {};
  summary.torn_records += writer.held();
  held_bytes = 0;
  held_torn.clear();
  return writer.discard(torn);
}

// R5, R9.
result<void> restorer::parts::check_end(std::int64_t end,
                                        std::int64_t now_ms) const {
  if (now_ms - since_ms > options.limit.count())
    return fail(ec::timed_out,
                "the restore took longer than half of delete.retention.ms, so "
                "that removals may have been missed: rebuild");
  if (anchor && end < anchor->offset)
    return fail(ec::data_loss,
                fmt::format("the changelog ends at {}, but the store has "
                            "applied it up to {}",
                            end, anchor->offset));
  // Compaction removes a commit record only where there is a later one.
  auto begins_before = !anchor || options.start < anchor->offset;
  if (found && begins_before && !met_found)
    return fail(ec::data_loss,
                fmt::format("the changelog has neither the commit that the "
                            "store is at, {}, nor a later one; `adopt` "
                            "goes on from what the changelog has",
                            to_string(found->by)));
  return {};
}

/// The unchecked part of the changelog (R1) may lack records: its head was cut
/// off, or a torn transaction superseded them. The mark is there meanwhile.
result<void> restorer::parts::check_whole() {
  if (!check_digest)
    return {};
  if (auto done = writer.flush(); !done)
    return done;
  auto same = verify(store, summary.commit);
  if (!same && same.error().code() == ec::corruption)
    return fail(ec::corruption,
                same.error().text() +
                    ": the changelog has lost records, or they were changed; "
                    "restore it from a backup, or `reset` the job");
  return same;
}

result<void> restorer::parts::list_torn() {
  for (auto& key : torn) {
    std::string value;
    auto there = store.get(key, value);
    if (!there)
      return fail(there.error());
    summary.torn_keys.push_back(
        {key, *there ? std::optional{std::move(value)} : std::nullopt});
  }
  return {};
}

restorer::restorer(backend& store, const database_metadata& metadata,
                   restore_options options)
    : parts_(std::make_unique<parts>(store, metadata, std::move(options))) {}

restorer::~restorer() = default;

result<restore_step> restorer::feed(const record& x) {
  auto& self = *parts_;
  if (x.offset() < self.next_offset)
    return restore_step::go_on;
  self.next_offset = x.offset() + 1;
  self.summary.any_record |= x.offset() >= self.options.empty_below;
  if (auto fine = self.check_anchor(x); !fine)
    return fail(self.named(fine.error()));
  // Where the anchor's own record is compacted away, the order still counts
  // from there.
  if (self.anchor && x.offset() >= self.anchor->offset &&
      !self.checker.checked())
    self.checker.start_after(self.anchor->by);
  auto by = origin_of(x);
  if (!by)
    return fail(self.named(by.error()));
  self.summary.highest_epoch = std::max(self.summary.highest_epoch, by->epoch);
  if (!x.key() || (x.key() != commit_key && !is_store_key(*x.key())))
    return fail(self.named(
        {ec::corruption, fmt::format("the record at offset {} has a key of "
                                     "no store: written by a newer weir, or "
                                     "by something else",
                                     x.offset())}));
  auto step = x.key() == commit_key ? self.commit(x, *by) : self.data(x, *by);
  if (!step)
    return fail(self.named(step.error()));
  return step;
}

result<restore_summary> restorer::finish(std::int64_t end,
                                         std::int64_t now_ms) {
  auto& self = *parts_;
  if (auto fine = self.check_end(end, now_ms); !fine)
    return fail(self.named(fine.error()));
  self.summary.torn_records += self.writer.held();
  if (auto done = self.writer.discard(self.torn); !done)
    return fail(self.named(done.error()));
  if (auto done = self.check_whole(); !done)
    return fail(self.named(done.error()));
  if (auto done = self.writer.finish(); !done)
    return fail(self.named(done.error()));
  if (auto done = self.list_torn(); !done)
    return fail(self.named(done.error()));
  return std::move(self.summary);
}

// -- proofs

result<void> verify(backend& store,
                    const std::optional<commit_record>& commit) {
  auto digest = compute_digest(store);
  if (!digest)
    return fail(digest.error());
  auto expected = commit ? commit->state_digest : 0;
  if (*digest == expected)
    return {};
  return fail(ec::corruption,
              fmt::format("the state's digest is {:016x}, its commit record "
                          "says {:016x}",
                          *digest, expected));
}

bool is_provably_new(const birth_evidence& x) noexcept {
  if (x.born || x.has_snapshot)
    return false;
  return x.changelog.high == 0 ||
         (x.changelog.low <= x.empty_below && !x.any_record);
}

} // namespace weir
