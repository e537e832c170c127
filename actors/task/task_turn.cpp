// How a task reads its inputs, a turn at a time.
#include "actors/base/scheduling.hpp"
#include "actors/task/task_shell.hpp"
#include "runtime/base/log.hpp"
#include "runtime/stream/record_access.hpp"

namespace weir {

namespace {

/// Records that are polled at once; no turn has more.
constexpr std::size_t batch_records = 500;

std::string place_of(std::string_view topic, std::int32_t partition,
                     std::int64_t offset) {
  return fmt::format("{}/{}@{}", topic, partition, offset);
}

} // namespace

input_fault task::shell::fault_of(std::size_t input, const record& x) {
  input_fault out;
  out.input = input;
  out.topic = x.topic();
  out.offset = x.offset();
  if (x.key())
    out.key_bytes = static_cast<std::int64_t>(x.key()->size());
  if (x.value())
    out.value_bytes = static_cast<std::int64_t>(x.value()->size());
  return out;
}

bool task::shell::may_process() const {
  auto bound = core->context().memory.overlay;
  return begun && assigned && !waits_for_first_commit && !held_back && !over &&
         !core->out().is_full()
         // Between seal and apply the overlay may double, not more.
         && core->state().overlay_bytes() < 2 * bound;
}

bool task::shell::at_end() const {
  return in_turn && cursor + 1 >= batches[input]->size() &&
         core->restored().inputs[input].reader->at_end();
}

std::int64_t task::shell::wall_clock_ms() {
  if (in_turn && turn_wall_ms != 0)
    return turn_wall_ms;
  last_wall_ms = std::max(last_wall_ms, world.wall_clock_ms());
  turn_wall_ms = last_wall_ms;
  return last_wall_ms;
}

void task::shell::on_ready() {
  core->restored().relay->acknowledge();
  // Which of them it is will be seen. Before its first record it is no gap.
  if (assigned && !waits_for_first_commit)
    for (auto now = world.steady_ns(); auto& each : watches)
      each.ready(now);
  schedule();
}

void task::shell::schedule() {
  if (may_process())
    seat->want();
}

/// The turns of a stretch need no message between them, unless one waits.
void task::shell::take_turns() {
  while (take_turn())
    if (!self.mailbox().empty())
      return self.send(&self, go_on{});
}

/// True: the task keeps its place and owes another turn.
bool task::shell::take_turn() {
  if (ended)
    return false;
  bool more = false;
  bool keeps_place = false;
  {
    // Whatever happens in it, the place is given back.
    struct at_end {
      ~at_end() {
        of.in_turn = false;
        keeps_place = of.seat->done(of.turn.stop(), more);
      }
      shell& of;
      bool& more;
      bool& keeps_place;
    } whatever{*this, more, keeps_place};
    in_turn = true;
    turn_wall_ms = 0;
    turn.start(core->context().turns.turn());
    more = drain() && may_process();
  }
  return keeps_place;
}

bool task::shell::drain() {
  if (!may_process())
    return false;
  if (cursor == batches[input]->size() && !poll_next()) {
    core->out().hasten();
    ask_for_commit();
    return false;
  }
  if (!drain_batch())
    return false;
  ask_for_commit();
  return true;
}

/// Before its time: there is too much for one commit, or nothing is to come.
void task::shell::ask_for_commit() {
  if (core->take_hop_written() && !std::exchange(hop_told, true) && !failed)
    tell_high(lane, hop_written{});
  if (commit_asked || sealing || failed)
    return;
  auto bound = core->context().memory.overlay;
  if (core->state().overlay_bytes() < bound && !core->out().wants_commit() &&
      !core->completes_drain() && !held_back)
    return;
  commit_asked = true;
  tell_high(lane, commit_wanted{});
}

/// Polls the inputs in turn until one has something.
bool task::shell::poll_next() {
  auto& inputs = core->restored().inputs;
  if (auto first = core->decided_input()) [[unlikely]] {
    if (auto got = poll_input(*first); got != polled::nothing)
      return got == polled::records;
    // The record may be gone: at the end there is nothing to wait for.
    if (!inputs[*first].reader->at_end())
      return false;
  }
  for (std::size_t tried = 0; tried < inputs.size(); ++tried)
    if (auto got = poll_input((input + 1) % inputs.size());
        got != polled::nothing)
      return got == polled::records;
  return false;
}

task::shell::polled task::shell::poll_input(std::size_t which) {
  auto& from = core->restored().inputs[which];
  auto& batch = *batches[which];
  auto& watch = watches[which];
  input = which;
  cursor = 0;
  if (auto done = from.reader->poll(batch, batch_records); !done) {
    fail_with(failure_place::input,
              done.error().within("reading " + from.topic + "/" +
                                  std::to_string(core->partition())));
    return polled::failed;
  }
  if (!batch.empty()) {
    for (auto& each : batch.mutable_records())
      detail::record_access::set_input(each,
                                       core->context().job.sources()[which]);
    note_gap(which, watch.polled(
                        detail::record_access::timestamp_ms(batch.records()[0]),
                        world.steady_ns(), world.wall_clock_ms()));
    return polled::records;
  }
  watch.polled_nothing(from.reader->at_end(), world.steady_ns(),
                       world.wall_clock_ms());
  // Markers behind the last record are consumed without any.
  if (from.reader->at_end())
    core->advance(which, from.reader->position());
  return polled::nothing;
}

bool task::shell::drain_batch() {
  auto records = batches[input]->records();
  const record* last = nullptr;
  pulse->take(input);
  auto ok = guard([&] {
    while (cursor < records.size() && !core->out().is_full()) {
      auto& x = records[cursor];
      if (core->must_commit_before(input, x)) [[unlikely]] {
        held_back = true;
        break;
      }
      pulse->at(x.offset());
      auto fate = core->consume(input, x);
      if (!fate)
        return fail_with(fate.error().code() == ec::data_loss
                             ? failure_place::input
                             : failure_place::transaction,
                         fate.error(), fault_of(input, x));
      if (*fate == record_fate::refused) {
        reject_with(core->refusal_kind(),
                    error{ec::task_failed, core->refusal()},
                    fault_of(input, x));
        break;
      }
      ++cursor;
      if (*fate == record_fate::consumed)
        last = &x;
      auto time = turn.record_done();
      if (time == turn_clock::verdict::unread) [[likely]]
        continue;
      if (turn.last_call() >= slow_call)
        note_slow_call(x);
      if (time == turn_clock::verdict::over)
        break;
    }
  });
  if (!ok || failed)
    return false;
  if (last != nullptr)
    core->remember(input, *last);
  if (!core->out().is_drained())
    pump();
  return !over;
}

void task::shell::note_slow_call(const record& x) {
  pulse->count_slow_call();
  auto left_out = slow_lines.pass(world.steady_ns());
  if (!left_out)
    return;
  log_warning("task.slow", "task", x.partition(), "record",
              place_of(x.topic(), x.partition(), x.offset()), "ms",
              turn.last_call().count() / 1'000'000, "others_since_last_line",
              *left_out);
}

void task::shell::note_gap(std::size_t input,
                           const std::optional<input_watch::gap>& x) {
  if (!x)
    return;
  auto left_out = gap_lines.pass(world.steady_ns());
  if (!left_out)
    return;
  auto& from = core->restored().inputs[input];
  auto partition = core->partition();
  log_warning("fetch.gap", "task", partition, "record",
              place_of(from.topic, partition, from.position.next_offset), "ms",
              x->ms, "why", x->why, "others_since_last_line", *left_out);
}

void task::shell::look_at_inputs() {
  auto now = world.steady_ns();
  for (std::size_t i = 0; i < watches.size(); ++i)
    note_gap(i, watches[i].look(now));
}

} // namespace weir
