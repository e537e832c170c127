#include "actors/claim/claim_writer.hpp"

namespace weir {

namespace {

struct claim_write : std::enable_shared_from_this<claim_write> {
  /// Weak: the session holds this until it answers. Without it there is
  /// nobody left to be answered.
  std::weak_ptr<coordination> session;
  std::string path;
  claim_node claim;
  std::function<void(result<std::int32_t>)> done;

  void answer(result<std::int32_t> outcome) {
    if (outcome)
      return done(std::move(outcome));
    auto asked = session.lock();
    // Somebody wrote: maybe this very claim, in an earlier try whose reply got
    // lost.
    auto why = outcome.error().code();
    if (why == ec::version_mismatch || why == ec::already_exists) {
      if (asked)
        asked->get(path, nullptr,
                   [self = shared_from_this()](result<znode> node) {
                     self->judge(std::move(node));
                   });
      return;
    }
    if (why != ec::unknown_outcome)
      return done(std::move(outcome));
    if (!asked)
      return;
    asked->sync(path, [self = shared_from_this()](result<void> synced) {
      if (!synced)
        return self->done(fail(synced.error()));
      if (auto asked = self->session.lock())
        asked->get(self->path, nullptr, [self](result<znode> node) {
          self->judge(std::move(node));
        });
    });
  }

  void judge(result<znode> node) {
    if (!node)
      return done(fail(node.error()));
    auto read = decode_claim(node->data);
    if (read && proves_claim(*read, claim))
      return done(node->stat.version);
    // Not there: the caller reads the claim and writes again by version.
    done(fail(ec::version_mismatch,
              "the claim at " + path + " is not the one just written"));
  }
};

} // namespace

void write_claim(std::shared_ptr<coordination> session, std::string path,
                 std::optional<std::int32_t> version, claim_node claim,
                 std::function<void(result<std::int32_t>)> done) {
  auto write = std::make_shared<claim_write>();
  write->session = session;
  write->path = path;
  write->claim = claim;
  write->done = std::move(done);
  auto text = encode(claim);
  if (version)
    session->set(path, text, *version, [write](result<znode_stat> stat) {
      write->answer(stat ? result<std::int32_t>{stat->version}
                         : fail(stat.error()));
    });
  else
    session->create(
        path, text, create_mode::persistent, [write](result<std::string> made) {
          write->answer(made ? result<std::int32_t>{0} : fail(made.error()));
        });
}

} // namespace weir
