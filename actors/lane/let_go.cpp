#include "actors/lane/let_go.hpp"

#include "actors/claim/claim_writer.hpp"
#include "runtime/base/log.hpp"

namespace weir {

let_go_actor::let_go_actor(caf::actor_config& config,
                           std::shared_ptr<node_context> context,
                           std::shared_ptr<membership_info> info,
                           caf::actor lane, let_go_task what)
    : stepping_actor(config), context_(std::move(context)),
      info_(std::move(info)), lane_(std::move(lane)), what_(std::move(what)),
      path_(znode_paths{context_->job.name()}.claim(what_.partition)) {
  observe("let_go", context_->outside.log, context_->outside.handler_probe);
}

caf::behavior let_go_actor::make_behavior() {
  look();
  return {[](const continuation& step) { step.run(); }};
}

void let_go_actor::on_exit() {
  token_.cancel();
  lane_ = nullptr;
}

void let_go_actor::look() {
  info_->session->get(path_, nullptr, reply<result<znode>>([this](auto node) {
                        decide(std::move(node));
                      }));
}

/// Of this node, or of what it was before it joined again; another node of this
/// process lives under other ids.
bool let_go_actor::is_ours(const claim_node& x) const {
  return x.process == context_->self &&
         (x.member == info_->member ||
          context_->members.living().all().count(x.producer_id) == 0);
}

void let_go_actor::decide(result<znode> node) {
  if (!node && node.error().code() != ec::not_found)
    return retry(node.error());
  auto claim =
      node ? decode_claim(node->data) : result<claim_node>{fail(node.error())};
  // A bring-up that was ended on the way may have written it, or may not.
  bool ours = claim && !claim->released && is_ours(*claim);
  if (!ours) {
    // Nobody's, or somebody else's: what stopped the task here is theirs to
    // find. So it is when somebody had it since we first looked.
    auto version = node ? node->stat.version : -1;
    bool still = free_since_.value_or(version) == version;
    free_since_ = version;
    if (what_.parked && !parked_ && still && (!claim || claim->released))
      return park();
    return done();
  }
  claim_ = std::move(*claim);
  version_ = node->stat.version;
  // H17: after a failure the outcome of the last commit is open until its id
  // is fenced. An id in use has committed what this task took part in.
  if (claim_.producer_id != what_.living_id && !fenced_)
    return fence();
  if (what_.parked && !parked_)
    return park();
  release();
}

void let_go_actor::fence() {
  // The fencer tries again by itself, and tells of each time.
  context_->fence(claim_.producer_id, token_,
                  reply<result<void>>([this](result<void> fenced) {
                    if (!fenced || std::exchange(fenced_, true))
                      return;
                    look();
                  }));
}

void let_go_actor::park() {
  auto path = znode_paths{context_->job.name()}.parked(what_.partition);
  info_->session->get(path, nullptr,
                      reply<result<znode>>([this](result<znode> node) {
                        if (node)
                          return park_over(*node);
                        if (node.error().code() == ec::not_found)
                          return write_parked(*what_.parked, std::nullopt);
                        retry(node.error());
                      }));
}

void let_go_actor::park_over(const znode& node) {
  auto next = *what_.parked;
  if (auto found = decode_parked(node.data)) {
    // Ours, by a write whose reply was lost: somebody may have decided since.
    if (is_same_stop(*found, *decode_parked(encode(next)))) {
      parked_ = true;
      return look();
    }
    keep_decisions(next, *found);
  }
  write_parked(next, node.stat.version);
}

void let_go_actor::write_parked(const parked_node& node,
                                std::optional<std::int32_t> version) {
  auto path = znode_paths{context_->job.name()}.parked(what_.partition);
  auto text = encode(node);
  auto written = [this](bool done, const error* why) {
    if (!done)
      return retry(*why);
    parked_ = true;
    look();
  };
  if (version)
    return info_->session->set(
        path, text, *version,
        reply<result<znode_stat>>([written](result<znode_stat> x) {
          written(x.has_value(), x ? nullptr : &x.error());
        }));
  info_->session->create(
      path, text, create_mode::persistent,
      reply<result<std::string>>([written](result<std::string> x) {
        written(x.has_value(), x ? nullptr : &x.error());
      }));
}

/// C2: whatever the reply, the task is gone; a lost one is resolved by looking
/// again.
void let_go_actor::release() {
  auto claim = claim_;
  claim.released = true;
  claim.born |= what_.committed;
  write_claim(info_->session, path_, version_, claim,
              reply<result<std::int32_t>>([this](result<std::int32_t> x) {
                if (x)
                  return done();
                if (x.error().code() == ec::version_mismatch ||
                    x.error().code() == ec::not_found)
                  return look();
                retry(x.error());
              }));
}

void let_go_actor::retry(const error& why) {
  if (why.code() == ec::session_expired || why.code() == ec::closed)
    return; // The node hears of it from the membership and drops the lane.
  log_warning("claim.let_go", "task", what_.partition, "why", to_string(why));
  run_after(pause_.next(), [this] { look(); });
}

void let_go_actor::done() {
  tell(lane_, let_gone{what_.partition, what_.attempt});
  quit();
}

} // namespace weir
