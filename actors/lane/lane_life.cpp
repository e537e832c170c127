// A lane's producer ids and lives (rules L2, L3, L4, L9).
#include <algorithm>

#include "actors/lane/lane.hpp"
#include "runtime/job/topics.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

constexpr milliseconds first_pause{100};
constexpr milliseconds longest_pause{5'000};
/// So that a small T_c can change without another producer.
constexpr milliseconds least_interval{1'000};
/// H12: fresh id and claims.
constexpr milliseconds retire_limit{10'000};

/// While there is a backlog, and in a transaction, nobody waits for the single
/// record: producers collect longer, if that is not long already.
milliseconds backlog_linger(milliseconds linger) {
  return std::max(linger, std::min(4 * linger, milliseconds{100}));
}

bool wants_letters(const node_context& context) {
  return wants_dead_letters(context.job, context.settings) ||
         context.members.wants_dead_letters();
}

/// Every topic that a lane may send to.
std::vector<std::string> topics_of(const node_context& context) {
  std::vector<std::string> out{context.job.changelog()};
  for (auto& declared : context.job.targets())
    out.push_back(context.job.topic(declared));
  if (wants_letters(context))
    out.push_back(context.job.dead_letter());
  return out;
}

/// Opens the topics of a producer. `letters`: the dead-letter topic too.
result<void> bind(node_context& context, bound_producer& out, bool letters,
                  bool changelog) {
  for (auto& declared : context.job.targets()) {
    auto topic = out.handle->open_topic(context.job.topic(declared));
    if (!topic)
      return fail(topic.error());
    out.outputs.push_back(*topic);
  }
  if (changelog) {
    auto topic = out.handle->open_topic(context.job.changelog());
    if (!topic)
      return fail(topic.error());
    out.changelog = *topic;
  }
  if (letters) {
    auto topic = out.handle->open_topic(context.job.dead_letter());
    if (!topic)
      return fail(topic.error());
    out.dead_letter = *topic;
  }
  return {};
}

result<void> open_bound(node_context& context, const producer_options& options,
                        bound_producer& out) {
  auto opened = context.outside.streams->open_producer(options);
  if (!opened)
    return fail(opened.error());
  out.handle = std::move(*opened);
  bool transactional = !options.transactional_id.empty();
  return bind(context, out, transactional && wants_letters(context),
              transactional);
}

} // namespace

std::string lane_actor::fresh_id() {
  return producer_prefix(context_->job.name()) +
         random_id(*context_->outside.world);
}

result<std::shared_ptr<lane_producers>>
lane_actor::open_producers(const std::shared_ptr<node_context>& context,
                           std::string id, milliseconds interval,
                           std::shared_ptr<bound_producer> plain) {
  auto& settings = context->settings;
  auto out = std::make_shared<lane_producers>();
  out->id = std::move(id);
  out->longest_interval = std::max(interval, least_interval);
  out->transaction_timeout =
      settings.transaction_timeout(out->longest_interval);
  producer_options options;
  options.transactional_id = out->id;
  options.transaction_timeout = out->transaction_timeout;
  options.linger = backlog_linger(settings.producer_linger);
  options.hastened_linger = settings.producer_linger;
  options.queue_bytes = context->memory.producer;
  options.transaction_bytes = context->memory.transaction;
  options.topics = topics_of(*context);
  if (auto done = open_bound(*context, options, out->transactional); !done)
    return fail(done.error());
  if (settings.guarantee == guarantee::at_least_once && !plain) {
    plain = std::make_shared<bound_producer>();
    options.transactional_id.clear();
    if (auto done = open_bound(*context, options, *plain); !done)
      return fail(done.error());
  }
  out->plain = std::move(plain);
  return out;
}

void lane_actor::perform(const machine::open_id& x) {
  auto plain = producers_ ? producers_->plain : nullptr;
  // While an id is retired a last commit may wait for the fresh one.
  auto& token = machine_.state() == machine::phase::retiring
                    ? context_->giving_up
                    : context_->stopping;
  run_on(
      *context_->outside.run.net, {"producer.open", token},
      [context = context_, name = fresh_id(),
       interval = options_.check_interval, plain] {
        return open_producers(context, name, interval, plain);
      },
      [this, id = x.id](result<std::shared_ptr<lane_producers>>& opened) {
        id_opened(id, opened);
      });
}

void lane_actor::id_opened(std::uint64_t id,
                           result<std::shared_ptr<lane_producers>>& opened) {
  if (!machine_.awaits_id(id))
    return context_->discard(opened ? std::move(*opened) : nullptr);
  if (opened) {
    successor_ = std::move(*opened);
    context_->members.living().begin(successor_->id);
    log_info("lane.opened", "lane", options_.index, "producer", successor_->id);
    tell(node_, lane_opened{});
    return act(machine_.id_opened(id));
  }
  auto& why = opened.error();
  log_warning("lane.producer", "lane", options_.index, "why", to_string(why));
  for (auto partition : options_.partitions)
    tell(node_, task_waiting{partition, to_string(why)});
  auto todo = react_to(failure_place::open_id, why.code());
  if (todo == reaction::node || todo == reaction::impossible)
    tell(node_, node_failed{why});
  if (machine_.state() == machine::phase::retiring)
    say_failed("retiring the producer id: " + to_string(why));
  act(machine_.id_failed(id));
}

void lane_actor::perform(const machine::open_later& x) {
  // The first time at once; the pauses double, to 5 s.
  auto pause = lives_failed_ == 0
                   ? milliseconds{0}
                   : std::min(longest_pause, first_pause * (1 << lives_failed_));
  lives_failed_ = std::min(lives_failed_ + 1, 6);
  run_after(pause, [this, id = x.id] { act(machine_.open_due(id)); });
}

void lane_actor::perform(const machine::use_id&) {
  // H12: nothing waits for it.
  if (producers_)
    context_->fence(producers_->id, {}, [](const result<void>&) {});
  retire(producers_);
  producers_ = std::exchange(successor_, nullptr);
  start_timer();
}

/// C3: a claim may name it still.
void lane_actor::retire(std::shared_ptr<lane_producers>& x) {
  if (!x)
    return;
  context_->members.living().end(x->id);
  context_->discard(std::exchange(x, nullptr));
}

void lane_actor::perform(const machine::drop_id& x) {
  // After `use_id` of the next one it is gone already.
  if (x.id == machine_.id() || machine_.id() == 0)
    retire(producers_);
  if (machine_.state() != machine::phase::retiring)
    retire(successor_);
}

void lane_actor::perform(const machine::limit_retiring& x) {
  run_after(retire_limit, [this, id = x.id] {
    if (machine_.state() == machine::phase::retiring)
      act(machine_.retire_due(id));
  });
}

void lane_actor::perform(const machine::end&) {
  tell(node_, lane_stopped{options_.index, lost_.empty()});
  quit();
}

void lane_actor::fail_lane(const std::string& reason,
                           std::optional<machine::fate> whose) {
  say_failed(reason);
  act(machine_.fail(whose));
}

bool lane_actor::has_no_life() const noexcept {
  using enum machine::phase;
  auto now = machine_.state();
  return now == closed || now == opening || now == failing || now == ended;
}

/// A lane that gives up again and again is not "8 of 8 running".
void lane_actor::say_failed(const std::string& reason) {
  if (has_no_life())
    return;
  log_warning("lane.given_up", "lane", options_.index, "times_in_a_row",
              lives_failed_ + 1, "why", reason);
  for (auto& [partition, task] : tasks_)
    tell(node_, task_waiting{partition, "its lane gave up: " + reason});
}

} // namespace weir
