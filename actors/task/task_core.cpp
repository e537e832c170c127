#include "actors/task/task_core.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/log.hpp"
#include "runtime/stream/record_access.hpp"
#include "stores/kv/store_error.hpp"

namespace weir {

namespace {

std::vector<std::int64_t> next_offsets(const restored_task& restored) {
  std::vector<std::int64_t> out;
  for (auto& input : restored.inputs)
    out.push_back(input.position.next_offset);
  return out;
}

std::string place_of(const record& x) {
  return std::string{x.topic()} + "/" + std::to_string(x.partition()) +
         " offset " + std::to_string(x.offset());
}

} // namespace

task_core::task_core(std::shared_ptr<node_context> context,
                     std::shared_ptr<restored_task> restored)
    : context_(std::move(context)),
      restored_(std::move(restored)), place_{context_->job.name(),
                                             restored_->partition,
                                             restored_->partitions},
      wiring_(context_->job),
      keys_(context_->job, place_.partition, place_.partitions),
      careful_(restored_->careful || context_->refuses_foreign_keys),
      handlers_(restored_->inputs.size()),
      state_(restored_->database->store(),
             {.cache_bytes = context_->memory.cache},
             restored_->commit ? restored_->commit->state_digest : 0),
      out_(context_->settings.guarantee == guarantee::at_least_once
               ? static_cast<int>(context_->job.outputs().size())
               : 0,
           context_->memory.held),
      commits_(std::max(restored_->commit ? restored_->commit->number : 0,
                        restored_->claim.commits_above)),
      previous_checksum_(restored_->commit ? checksum(*restored_->commit) : 0),
      sealed_positions_(next_offsets(*restored_)),
      committed_(sealed_positions_),
      suspects_(restored_->inputs.size(), INT64_MAX) {
  count_.lost = restored_->lost;
  context_->counts.restored(restored_->partition, previous_checksum_);
  for (auto& [input, offset] : restored_->suspects)
    suspects_[input] = offset;
  if (restored_->decision)
    for (auto& each : open_decisions(*restored_->decision))
      for (std::size_t i = 0; i < restored_->inputs.size(); ++i)
        if (!each.is_gap() && restored_->inputs[i].topic == each.topic)
          decided_.push_back({i, each});
  std::sort(decided_.begin(), decided_.end(),
            [](auto& x, auto& y) { return x.what.offset < y.what.offset; });
  find_decided();
}

void task_core::find_decided() {
  std::erase_if(decided_, [&](auto& each) {
    return restored_->inputs[each.input].position.next_offset >
           each.what.offset;
  });
  decided_offset_ = decided_.empty() ? -1 : decided_.front().what.offset;
  decided_input_ = decided_.empty() ? 0 : decided_.front().input;
}

namespace {

/// Its place in a list that has it.
std::size_t index_in(const std::vector<std::string>& all,
                     std::string_view name) {
  return static_cast<std::size_t>(std::find(all.begin(), all.end(), name) -
                                  all.begin());
}

void must_fit(const std::optional<std::string>& problem) {
  if (problem)
    throw store_error{ec::bad_argument, *problem};
}

} // namespace

detail::store_core& task_core::open_store(const part& what) {
  must_fit(wiring_.open(what));
  auto number = restored_->store_numbers.find(std::string{what.name});
  WEIR_ASSERT(number != restored_->store_numbers.end(),
              "the job's node has a number for each of its stores");
  keys_.add(number->second, what.name);
  return state_.open(number->second, number->first, *what.store);
}

int task_core::open_topic(const part& what) {
  must_fit(wiring_.open(what));
  return static_cast<int>(index_in(context_->job.targets(), what.name));
}

void task_core::handle(const part& what, std::unique_ptr<detail::handler> by) {
  must_fit(wiring_.handle(what));
  handlers_[index_in(context_->job.sources(), what.name)] = std::move(by);
}

void task_core::wired() {
  for (std::size_t i = 0; i < handlers_.size(); ++i)
    if (handlers_[i] == nullptr)
      throw store_error{ec::bad_argument,
                        "'" + context_->job.sources()[i] +
                            "' has no handler: on(topic, handler) in the "
                            "task's constructor"};
  find_hop_sources();
}

result<record_fate> task_core::look_back(std::size_t input, const record& x) {
  auto& position = restored_->inputs[input].position;
  auto& last = position.last;
  if (last && last->offset == x.offset() && fingerprint_of(x) != *last)
    return fail(ec::data_loss,
                "input " + place_of(x) +
                    " is not the record that this task consumed there: the "
                    "topic was recreated, truncated or restored from a backup; "
                    "`reset` the job, or restore the topic");
  return record_fate::ignored;
}

void task_core::check_changes() {
  // As long as the one that the seal writes.
  origin any;
  any.epoch = any.sequence = 1;
  auto origin_value = encode(any);
  header mark{origin_header, origin_value};
  state_.visit_record(
      [&](std::string_view key, std::optional<std::string_view> value) {
        queued_record out;
        out.headers = {&mark, 1};
        out.to = target::changelog;
        out.partition = restored_->partition;
        out.key = key;
        out.value = value;
        if (auto fits = out_.fits(out); !fits)
          reject("a value of the state: " + fits.error().text(),
                 parked_kind::too_large);
        if (!context_->refuses_foreign_keys)
          return;
        if (auto why = keys_.problem(key))
          throw store_error{ec::bad_argument, *why};
      });
}

void task_core::undo() {
  state_.undo_record();
  out_.discard();
  current_ = nullptr;
}

bad_record_policy task_core::policy_for(std::size_t input,
                                        const record& x) const {
  if (!is_decided(input, x.offset())) {
    auto& job = context_->job;
    auto* declared = job.find(role::input, job.sources()[input]);
    return declared != nullptr
               ? declared->on_bad.value_or(context_->settings.on_bad_record)
               : context_->settings.on_bad_record;
  }
  return decided_.front().what.decision == parked_decision::dead_letter
             ? bad_record_policy::dead_letter
             : bad_record_policy::skip;
}

result<record_fate> task_core::handle_bad(std::size_t input, const record& x) {
  undo();
  switch (policy_for(input, x)) {
  case bad_record_policy::fail:
    refusal_ = place_of(x) + ": " + *rejection_;
    return record_fate::refused;
  case bad_record_policy::skip:
    log_warning("record.skipped", "at", place_of(x), "why", *rejection_);
    break;
  case bad_record_policy::dead_letter:
    log_warning("record.dead_letter", "at", place_of(x), "why", *rejection_);
    stage_dead_letter(x);
    if (auto sent = out_.accept(); !sent)
      return fail(sent.error());
    break;
  }
  restored_->inputs[input].position.next_offset = x.offset() + 1;
  ++count_.records;
  ++count_.skipped;
  if (is_decided(input, x.offset())) {
    passed_decided_ = true;
    find_decided();
  }
  return record_fate::consumed;
}

void task_core::remember(std::size_t input, const record& last) {
  restored_->inputs[input].position.last = fingerprint_of(last);
  keys_.look(last);
}

void task_core::advance(std::size_t input, std::int64_t next_offset) {
  auto& position = restored_->inputs[input].position;
  position.next_offset = std::max(position.next_offset, next_offset);
}

bool task_core::completes_drain() const {
  auto found = context_->targets.find(restored_->partition);
  if (found == context_->targets.end())
    return false;
  auto& ends = found->second;
  bool uncommitted = false;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (restored_->inputs[i].position.next_offset < ends[i])
      return false;
    uncommitted |= sealed_positions_[i] < ends[i];
  }
  return uncommitted;
}

void task_core::begin(std::shared_ptr<lane_producers> producers,
                      std::uint64_t epoch) {
  if (epoch != epoch_) {
    epoch_ = epoch;
    sequence_ = 0;
  }
  if (auto sent = out_.begin(std::move(producers)); !sent && !send_problem_)
    send_problem_ = sent.error();
}

std::string task_core::commit_id() const {
  return restored_->claim.generation + '/' +
         std::to_string(restored_->partition) + '#' +
         std::to_string(commits_ + 1);
}

std::vector<std::int64_t> task_core::positions() const {
  return next_offsets(*restored_);
}

bool task_core::uncommitted() const {
  return sealed_ || has_moved() || state_.changed() > 0 || out_.has_emitted();
}

bool task_core::has_moved() const {
  for (std::size_t i = 0; i < restored_->inputs.size(); ++i)
    if (restored_->inputs[i].position.next_offset != sealed_positions_[i])
      return true;
  return false;
}

result<bool> task_core::seal(bool forced) {
  WEIR_ASSERT(!sealed_, "at most one frozen overlay exists");
  if (send_problem_)
    return fail(*send_problem_);
  out_.hold();
  if (!forced && state_.changed() == 0 && !out_.has_emitted() && !has_moved() &&
      restored_->torn.empty())
    return false;
  auto* producers = out_.producers();
  auto& id = producers->id;
  auto lane = parse_lane_id(std::string_view{id}.substr(id.size() - 32));
  if (!lane)
    return fail(lane.error());
  origin by{*lane, epoch_, ++sequence_};
  auto header_value = encode(by);

  record_checksum sum;
  result<void> sent;
  auto send = [&](std::string_view key, std::optional<std::string_view> value) {
    sum.add(key, value);
    keys_.look(key);
    if (sent)
      sent = send_change(header_value, key, value);
  };
  auto summary = state_.seal(send);
  if (!summary)
    return fail(summary.error());
  // R7: the changelog's last word on these keys is a torn transaction.
  for (auto& torn : std::exchange(restored_->torn, {})) {
    bool again = false;
    state_.sealed_changes().for_each(
        [&](std::string_view key, std::optional<std::string_view>) {
          again |= key == torn.key;
        });
    if (!again)
      send(torn.key, torn.value);
  }
  if (!sent)
    return fail(sent.error());

  sealed_commit commit;
  auto& record = commit.record;
  record.generation = restored_->claim.generation;
  record.by = by;
  record.number = ++commits_;
  record.previous = previous_checksum_;
  record.record_count = sum.count();
  record.records_checksum = sum.value();
  for (auto& input : restored_->inputs)
    record.inputs.push_back(input.position);
  record.state_digest = summary->digest;
  record.wall_clock_ms = context_->outside.world->wall_clock_ms();
  commit.slot = std::make_shared<commit_slot>();
  producers->transactional.keep(commit.slot);
  if (auto done =
          send_change(header_value, commit_key, encode(record), commit.slot);
      !done)
    return fail(done.error());
  previous_checksum_ = checksum(record);
  context_->counts.sealed(restored_->partition, previous_checksum_,
                          std::exchange(count_, {}));
  sealed_positions_ = next_offsets(*restored_);
  out_.mark_sealed();
  sealed_ = std::move(commit);
  return true;
}

result<void> task_core::apply() {
  WEIR_ASSERT(sealed_, "only a sealed commit can be applied");
  auto offset = sealed_->slot->offset();
  auto position = offset >= 0 ? std::optional{offset + 1} : std::nullopt;
  auto done = state_.apply(commit_metadata(sealed_->record, position));
  // Committed it is also where that cannot be written here.
  context_->counts.applied(restored_->partition);
  if (!done)
    return done;
  committed_.clear();
  for (auto& input : sealed_->record.inputs)
    committed_.push_back(input.next_offset);
  sealed_.reset();
  return {};
}

void task_core::close() {
  closed_ = true;
  state_.close();
}

} // namespace weir
