#include "actors/node/fencer.hpp"

#include "runtime/base/log.hpp"

namespace weir {

namespace {

/// Of one attempt: a broker ends a hanging transaction within this.
constexpr milliseconds fence_limit{10'000};

} // namespace

fencer_actor::fencer_actor(caf::actor_config& config,
                           std::shared_ptr<node_context> context)
    : stepping_actor(config), context_(std::move(context)) {
  observe("fencer", context_->outside.log, context_->outside.handler_probe);
}

caf::behavior fencer_actor::make_behavior() {
  return {
      [](const continuation& step) { step.run(); },
      [this](const fence_id& x) { on_request(x); },
  };
}

void fencer_actor::on_request(const fence_id& x) {
  switch (book_.ask(x.id, x.who)) {
  case fence_book::verdict::known:
    return x.who.answer({});
  case fence_book::verdict::joined:
    return;
  case fence_book::verdict::begin:
    return attempt(x.id);
  }
}

void fencer_actor::attempt(const std::string& id) {
  log_info("fencer.fencing", "producer", id);
  run_on(
      // A stop lets claims go behind a fence (H17).
      *context_->outside.run.fence, {"fence", context_->giving_up},
      [streams = context_->outside.streams, id] {
        return streams->fence(id, fence_limit);
      },
      [this, id](result<void>& outcome) { on_outcome(id, outcome); });
}

void fencer_actor::on_outcome(const std::string& id,
                              const result<void>& outcome) {
  if (outcome) {
    for (auto& each : book_.fenced(id))
      each.answer({});
    return;
  }
  // C6: visible, never a silent wait; C5: again with a fresh handle.
  log_warning("claim.fencing_blocked", "producer", id, "why",
              to_string(outcome.error()));
  milliseconds pause{0};
  for (auto& each : book_.failed(id, pause))
    each.answer(outcome);
  run_after(pause, [this, id] {
    if (book_.try_again(id))
      attempt(id);
  });
}

} // namespace weir
