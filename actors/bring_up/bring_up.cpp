// Taking a task over: its claim, whether it is parked, its earlier owner's
// fence.
#include "actors/bring_up/bring_up.hpp"

#include "actors/claim/claim_writer.hpp"
#include "runtime/base/log.hpp"

namespace weir {

namespace {

bool process_exists(void* world, const process_identity& x) {
  return static_cast<outside_world*>(world)->process_start(x.pid) == x.start &&
         x.start != 0;
}

bool somebody_wrote(const error& why) {
  return why.code() == ec::version_mismatch ||
         why.code() == ec::already_exists || why.code() == ec::not_found;
}

} // namespace

bring_up_actor::bring_up_actor(caf::actor_config& config,
                               std::shared_ptr<node_context> context,
                               std::shared_ptr<membership_info> info,
                               caf::actor lane, bring_up_task what)
    : stepping_actor(config), context_(std::move(context)),
      info_(std::move(info)), lane_(std::move(lane)),
      partition_(what.partition), attempt_(what.attempt),
      producers_(std::move(what.producers)), producer_id_(producers_->id),
      damaged_(what.damaged), room_(what.room),
      path_(znode_paths{context_->job.name()}.claim(partition_)),
      token_(cancel_token::below(context_->stopping)) {
  observe("bring_up", context_->outside.log, context_->outside.handler_probe);
}

caf::behavior bring_up_actor::make_behavior() {
  look();
  return {
      [](const continuation& step) { step.run(); },
      [this](const members_changed&) {
        if (waiting_)
          look();
      },
  };
}

void bring_up_actor::on_exit() {
  token_.cancel();
  // An unfinished restore holds a database and a reader: both may block.
  context_->discard(std::move(restore_));
  context_->discard(std::move(producers_));
  lane_ = nullptr;
}

claim_view bring_up_actor::view() {
  living_ = context_->members.living().all();
  members_ = context_->members.members();
  claim_view out;
  out.job = context_->job.name();
  out.own_id = producer_id_;
  out.fenced = &fenced_;
  out.living = &living_;
  out.members = &members_;
  out.self = context_->self;
  out.process_exists = process_exists;
  out.context = context_->outside.world.get();
  return out;
}

/// One watch at a time: a znode that never changes is looked at for days.
coordination::watcher bring_up_actor::watch_once(bool& watching) {
  if (std::exchange(watching, true))
    return nullptr;
  return [self = weak_self(), this, &watching] {
    self.tell(continuation{[this, &watching] {
      watching = false;
      if (waiting_)
        look();
    }});
  };
}

std::string bring_up_actor::where(const std::string& path) const {
  return "znode '" + info_->session->path_on_server(path) + "'";
}

void bring_up_actor::look() {
  waiting_ = false;
  auto again = watch_once(watching_);
  bool asks = again != nullptr;
  info_->session->get(path_, std::move(again),
                      reply<result<znode>>([this, asks](result<znode> x) {
                        if (asks && !x && x.error().code() != ec::not_found)
                          watching_ = false;
                        decide(std::move(x));
                      }));
}

void bring_up_actor::decide(result<znode> node) {
  if (!node && node.error().code() != ec::not_found)
    return session_failed(node.error());
  current_.reset();
  if (node) {
    auto claim = decode_claim(node->data);
    if (!claim)
      return give_up(failure_place::claim, claim.error().within(where(path_)));
    if (claim->generation != info_->job.generation)
      return give_up(failure_place::claim,
                     error{ec::corruption,
                           where(path_) + " is of generation " +
                               claim->generation + ", the job is of " +
                               info_->job.generation + ": `reset` the job"});
    current_ = *claim;
    version_ = node->stat.version;
  }
  using step = claim_decision::step;
  auto decision = decide_claim(current_, view());
  if (decision.what == step::held && held_)
    return confirm();
  // H18: an id whose claim another has taken is fenced, or will be: nothing is
  // claimed under it again.
  if (held_)
    return give_up(failure_place::claim,
                   error{ec::fenced, "its claim was taken while its state was "
                                     "read: " +
                                         decision.reason});
  if (decision.what == step::wait)
    return wait(decision.reason);
  if (decision.what == step::refuse)
    return give_up(failure_place::claim,
                   error{ec::corruption, decision.reason});
  // H28: whoever parks a task writes that before its release, so that who has
  // seen the release sees it.
  look_for_parked([this, decision] { go_towards(decision); });
}

void bring_up_actor::go_towards(const claim_decision& decision) {
  using step = claim_decision::step;
  // By an earlier bring-up of this id, which ended on its way.
  if (decision.what == step::held)
    return restore();
  if (decision.what == step::create)
    return check_unborn();
  if (decision.what == step::take)
    return write(0);
  make_sure_and_fence(decision.fence_id);
}

/// Goes on only with a task that is not parked, or whose operator has decided.
void bring_up_actor::look_for_parked(std::function<void()> then) {
  auto again = watch_once(watching_parked_);
  bool asks = again != nullptr;
  auto path = znode_paths{context_->job.name()}.parked(partition_);
  info_->session->get(
      path, std::move(again),
      reply<result<znode>>([this, then, path, asks](result<znode> node) {
        if (asks && !node && node.error().code() != ec::not_found)
          watching_parked_ = false;
        decision_.reset();
        if (!node && node.error().code() == ec::not_found)
          return then();
        if (!node)
          return session_failed(node.error());
        auto found = decode_parked(node->data);
        if (!found) {
          // What cannot be read is a task that nobody may claim.
          found = parked_node{};
          found->kind = parked_kind::corruption;
          found->why = where(path) + " cannot be read";
        }
        auto parked = std::make_shared<const parked_node>(std::move(*found));
        if (!parked->decided())
          return wait("parked: " + parked->why, parked);
        decision_ = std::move(parked);
        decision_version_ = node->stat.version;
        then();
      }));
}

void bring_up_actor::wait(const std::string& reason,
                          std::shared_ptr<const parked_node> parked) {
  waiting_ = true;
  bool held = parked == nullptr;
  if (std::exchange(last_reason_, reason) != reason)
    tell(lane_, bring_up_waits{partition_, attempt_, reason, held,
                               std::move(parked)});
  if (!held)
    return;
  // A process that is killed on this host changes nothing in the coordination
  // service for a session's length: the node looks at the process table.
  if (shares_process_table(current_->process, context_->self))
    context_->members.wait_for(current_->process);
}

/// Rule C4: a missing claim is created only where nothing was ever committed.
void bring_up_actor::check_unborn() {
  run_on(
      *context_->outside.run.net, {"watermarks", token_},
      [context = context_, partition = partition_] {
        return context->outside.streams->query_watermarks(
            context->job.changelog(), partition, isolation::read_uncommitted);
      },
      [this](result<watermarks>& limits) {
        if (!limits)
          return retry(limits.error());
        if (limits->high > 0)
          return look_for_claim(error{
              ec::data_loss,
              "the claim, " + where(path_) + ", is missing, but changelog " +
                  context_->job.changelog() + "/" + std::to_string(partition_) +
                  " has records: its writers are not known to be fenced; "
                  "accept "
                  "that with `adopt`"});
        write(0);
      });
}

/// While the changelog was asked, another may have made the claim and committed.
void bring_up_actor::look_for_claim(const error& missing) {
  info_->session->get(path_, nullptr,
                      reply<result<znode>>([this, missing](result<znode> x) {
                        if (!x && x.error().code() == ec::not_found)
                          return give_up(failure_place::claim, missing);
                        decide(std::move(x));
                      }));
}

/// Rule C5. After a pause of this process the known members may be older than
/// the claim: a member that is new since then lives.
void bring_up_actor::make_sure_and_fence(const std::string& id) {
  auto& member = current_->member;
  if (is_earlier_id_of_ours(*current_, view()) || members_.count(member) > 0)
    return fence(id);
  info_->session->get(
      znode_paths{context_->job.name()}.members() + "/" + member, nullptr,
      reply<result<znode>>([this, id](result<znode> node) {
        if (node)
          return wait("held by member " + current_->member);
        if (node.error().code() == ec::not_found)
          return fence(id);
        session_failed(node.error());
      }));
}

void bring_up_actor::fence(const std::string& id) {
  log_info("claim.fencing", "task", partition_, "producer", id);
  context_->fence(id, token_, reply<result<void>>([this, id](auto outcome) {
                    fence_answered(id, outcome);
                  }));
}

/// Once for each attempt that failed; the fencer goes on.
void bring_up_actor::fence_answered(const std::string& id,
                                    const result<void>& outcome) {
  if (outcome) {
    fenced_ = {id};
    return look();
  }
  // C6: visible, never a silent wait.
  tell(lane_, bring_up_waits{partition_, attempt_,
                             "fencing of " + id + " blocked by " +
                                 to_string(outcome.error())});
}

void bring_up_actor::write(std::uint64_t least_epoch) {
  auto next = next_claim(current_, view(), info_->member, info_->job.generation,
                         info_->job.partitions, least_epoch);
  auto version = current_ ? std::optional{version_} : std::nullopt;
  write_claim(info_->session, path_, version, next,
              reply<result<std::int32_t>>([this, next](auto version) {
                written(next, std::move(version));
              }));
}

void bring_up_actor::written(claim_node claim, result<std::int32_t> version) {
  if (!version) {
    // C3: whatever happened, the next look and write by version decide.
    if (!somebody_wrote(version.error()))
      return session_failed(version.error());
    log_decision(failure_place::claim, version.error().code());
    return look();
  }
  current_ = std::move(claim);
  version_ = *version;
  if (restore_)
    return open_inputs();
  restore();
}

/// What the coordination service answered. A session that was closed under a
/// bring-up is over as one that has expired is.
void bring_up_actor::session_failed(const error& why) {
  // The node hears of it from the membership and drops this lane.
  if (why.code() == ec::closed || why.code() == ec::session_expired)
    return log_decision(failure_place::claim, ec::session_expired);
  retry(why);
}

void bring_up_actor::retry(const error& why) {
  auto todo = react(failure_place::claim, why.code());
  if (todo != reaction::retry && todo != reaction::pause)
    return give_up(failure_place::claim, why);
  log_decision(failure_place::claim, why.code());
  log_warning("claim.retry", "task", partition_, "why", to_string(why));
  if (todo == reaction::pause)
    tell(lane_, bring_up_waits{partition_, attempt_, to_string(why)});
  run_after(pause_.next(), [this] { look(); });
}

void bring_up_actor::give_up(failure_place where, const error& why) {
  std::optional<input_fault> fault;
  if (restore_)
    fault = restore_->fault();
  tell(lane_, bring_up_failed{partition_, attempt_, where, why, fault});
  quit();
}

} // namespace weir
