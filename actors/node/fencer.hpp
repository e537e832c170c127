// The one actor of a node that fences producer ids (rule H33).
#pragma once

#include "actors/base/caf.hpp"
#include "actors/base/fence_book.hpp"
#include "actors/base/node_context.hpp"

namespace weir {

/// Make the producer with this id unable to commit. `who.answer` runs in the
/// fencer: it sends a message.
struct fence_id {
  std::string id;
  fence_book::waiter who;
};

/// Runs the attempts on the fence executor, again with a growing pause until
/// one succeeds or nobody waits for it any more. Owned by the node; what it
/// knows may be lost at any time: fencing an id twice does no harm.
class fencer_actor final : public stepping_actor {
public:
  fencer_actor(caf::actor_config& config,
               std::shared_ptr<node_context> context);

protected:
  caf::behavior make_behavior() override;

private:
  void on_request(const fence_id& x);
  void attempt(const std::string& id);
  void on_outcome(const std::string& id, const result<void>& outcome);

  std::shared_ptr<node_context> context_;
  fence_book book_;
};

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::fence_id)
