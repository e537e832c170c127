// A producer with the faults of a broker and of the way to it.
#include <deque>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "test/simulation/sim_streams.hpp"

namespace weir::sim {

namespace {

/// Stands between the log and the listeners of a producer, which a late commit
/// outlives.
class relay final : public delivery_listener {
public:
  relay(delivery_listener& to, const bool& silent, bool hides_offset)
      : to_(to), silent_(silent), hides_offset_(hides_offset) {}
  void delivered(std::int64_t offset) noexcept override {
    if (!silent_)
      to_.delivered(hides_offset_ ? -1 : offset);
  }
  void failed(const error& why) noexcept override {
    if (!silent_)
      to_.failed(why);
  }

private:
  delivery_listener& to_;
  const bool& silent_;
  bool hides_offset_;
};

struct relays {
  std::deque<relay> all;
  bool silent = false;
};

failure over() {
  return fail(ec::transaction_failed, "simulated: the producer is finished");
}

/// What is left of a producer whose last request is on its way.
class finished_producer final : public producer {
public:
  result<topic_ref> open_topic(const std::string&) override { return over(); }
  result<void> send(const outgoing&, delivery_listener*) override {
    return over();
  }
  result<void> flush(std::chrono::milliseconds) override { return over(); }
  result<void> begin() override { return over(); }
  result<commit_report> commit() override { return over(); }
};

class sim_producer final : public producer {
public:
  sim_producer(std::unique_ptr<producer> base,
               std::shared_ptr<stream_setup> setup, std::string id,
               std::chrono::milliseconds transaction_timeout)
      : base_(std::move(base)), setup_(std::move(setup)), id_(std::move(id)),
        transaction_timeout_(transaction_timeout) {}

  result<topic_ref> open_topic(const std::string& topic) override {
    if (setup_->dead)
      return over();
    auto out = base_->open_topic(topic);
    if (out && is_changelog(topic))
      changelog_ = out->index;
    return out;
  }
  result<void> send(const outgoing& x, delivery_listener* listener) override {
    if (setup_->dead)
      return over();
    if (setup_->hits(setup_->faults.full))
      return fail(ec::queue_full, "simulated: no room");
    if (auto why = setup_->planned.hit(node_call::send))
      return fail(*why);
    if (listener != nullptr)
      listener = &relays_->all.emplace_back(
          *listener, relays_->silent, setup_->hits(setup_->faults.no_offset));
    if (!began_)
      began_ = setup_->time.now;
    if (x.topic.index == changelog_)
      check_claim(x.partition);
    auto sent = base_->send(x, listener);
    if (sent && sent_again_ && setup_->random.below(2) == 0) {
      sent_again_ = false;
      static_cast<void>(base_->commit());
      static_cast<void>(base_->begin());
    }
    return sent;
  }
  result<void> fits(const outgoing& x) const override {
    return base_->fits(x);
  }
  bool wants_commit() const noexcept override { return base_->wants_commit(); }
  result<void> flush(std::chrono::milliseconds limit) override {
    return base_->flush(limit);
  }
  result<void> begin() override {
    if (setup_->dead)
      return over();
    if (auto why = setup_->planned.hit(node_call::begin))
      return fail(*why);
    return base_->begin();
  }

  result<commit_report> commit() override {
    if (setup_->dead)
      return over();
    auto began = std::exchange(began_, std::nullopt);
    if (auto why = setup_->planned.hit(node_call::commit))
      return fail(*why);
    if (began && setup_->time.now - *began > transaction_timeout_)
      return fail(ec::transaction_failed, "simulated: ended by its time-out");
    if (setup_->hits(setup_->faults.lost_commit))
      return lose();
    if (setup_->lie == stream_lie::no_commit && setup_->hits(20))
      return commit_report{};
    auto done = base_->commit();
    if (done && began)
      ++setup_->history.commits;
    if (done && setup_->hits(setup_->faults.retire))
      sent_again_ = done->retire_id = true;
    return done;
  }

private:
  /// H11: who comes to this task next fences what its claim names.
  void check_claim(int partition) {
    if (setup_->claims && !setup_->claims->has_named(partition, id_))
      setup_->history.problems.insert(
          fmt::format("a record for task {} goes out under {}, which its claim "
                      "has never named (H11)",
                      partition, id_));
  }

  result<commit_report> lose() {
    switch (setup_->random.below(3)) {
    case 0:
      static_cast<void>(base_->commit());
      break;
    case 1:
      break;
    default:
      // The request is on its way; the producer's end does not call it back.
      relays_->silent = true;
      setup_->late->post("late", [relays = relays_,
                          late = std::shared_ptr<producer>{std::move(base_)}] {
        static_cast<void>(late->commit());
      });
      base_ = std::make_unique<finished_producer>();
    }
    if (setup_->lie == stream_lie::hidden_failure)
      return commit_report{};
    return fail(ec::transaction_failed, "simulated: the reply was lost");
  }

  // In this order: the log may call while the producer is destroyed.
  std::shared_ptr<relays> relays_ = std::make_shared<relays>();
  std::unique_ptr<producer> base_;
  std::shared_ptr<stream_setup> setup_;
  std::string id_;
  int changelog_ = -1;
  std::chrono::milliseconds transaction_timeout_;
  /// When the broker hears of the transaction: at its first record.
  std::optional<std::chrono::nanoseconds> began_;
  /// A copy of the last commit is still on its way.
  bool sent_again_ = false;
};

} // namespace

std::unique_ptr<producer>
make_sim_producer(std::unique_ptr<producer> base,
                  std::shared_ptr<stream_setup> setup, std::string id,
                  std::chrono::milliseconds transaction_timeout) {
  return std::make_unique<sim_producer>(std::move(base), std::move(setup),
                                        std::move(id), transaction_timeout);
}

} // namespace weir::sim
