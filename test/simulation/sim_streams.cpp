#include "test/simulation/sim_streams.hpp"

#include <algorithm>
#include <deque>

namespace weir::sim {

namespace {

struct shared_chance {
  stream_faults faults;
  stream_lie lie;
  std::shared_ptr<executor> late;
  random_source& random;
  const virtual_time& time;
  stream_history& history;

  bool hits(unsigned percent) {
    return percent > 0 && random.below(100) < percent;
  }
};

bool is_changelog(const std::string& topic) {
  return topic.ends_with("-changelog");
}

class sim_reader final : public partition_reader {
public:
  sim_reader(std::unique_ptr<partition_reader> base, random_source& random,
             unsigned silent_polls)
      : base_(std::move(base)), random_(random), silent_polls_(silent_polls) {}

  result<void> poll(record_batch& out, std::size_t max) override {
    if (silent_polls_ > 0) {
      --silent_polls_;
      return base_->poll(out, 0);
    }
    return base_->poll(out, std::min<std::size_t>(max, 1 + random_.below(4)));
  }
  std::int64_t position() const noexcept override { return base_->position(); }
  bool at_end() const noexcept override { return base_->at_end(); }

private:
  std::unique_ptr<partition_reader> base_;
  random_source& random_;
  unsigned silent_polls_;
};

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

private:
  static tl::unexpected<error> over() {
    return fail(ec::transaction_failed, "simulated: the producer is finished");
  }
};

class sim_producer final : public producer {
public:
  sim_producer(std::unique_ptr<producer> base, shared_chance chance,
               std::chrono::milliseconds transaction_timeout)
      : base_(std::move(base)), chance_(chance),
        transaction_timeout_(transaction_timeout) {}

  result<topic_ref> open_topic(const std::string& topic) override {
    return base_->open_topic(topic);
  }
  result<void> send(const outgoing& x, delivery_listener* listener) override {
    if (chance_.hits(chance_.faults.full))
      return fail(ec::queue_full, "simulated: no room");
    if (listener != nullptr)
      listener = &relays_->all.emplace_back(
          *listener, relays_->silent, chance_.hits(chance_.faults.no_offset));
    if (!began_)
      began_ = chance_.time.now;
    auto sent = base_->send(x, listener);
    if (sent && sent_again_ && chance_.random.below(2) == 0) {
      sent_again_ = false;
      static_cast<void>(base_->commit());
      static_cast<void>(base_->begin());
    }
    return sent;
  }
  result<void> flush(std::chrono::milliseconds limit) override {
    return base_->flush(limit);
  }
  result<void> begin() override { return base_->begin(); }

  result<commit_report> commit() override {
    auto began = std::exchange(began_, std::nullopt);
    if (began && chance_.time.now - *began > transaction_timeout_)
      return fail(ec::transaction_failed, "simulated: ended by its time-out");
    if (chance_.hits(chance_.faults.lost_commit))
      return lose();
    if (chance_.lie == stream_lie::no_commit && chance_.hits(20))
      return commit_report{};
    auto done = base_->commit();
    if (done && chance_.hits(chance_.faults.retire))
      sent_again_ = done->retire_id = true;
    return done;
  }

private:
  result<commit_report> lose() {
    switch (chance_.random.below(3)) {
    case 0:
      static_cast<void>(base_->commit());
      break;
    case 1:
      break;
    default:
      // The request is on its way; the producer's end does not call it back.
      relays_->silent = true;
      chance_.late->post("late",
                         [relays = relays_,
                          late = std::shared_ptr<producer>{std::move(base_)}] {
                           static_cast<void>(late->commit());
                         });
      base_ = std::make_unique<finished_producer>();
    }
    if (chance_.lie == stream_lie::hidden_failure)
      return commit_report{};
    return fail(ec::transaction_failed, "simulated: the reply was lost");
  }

  // In this order: the log may call while the producer is destroyed.
  std::shared_ptr<relays> relays_ = std::make_shared<relays>();
  std::unique_ptr<producer> base_;
  shared_chance chance_;
  std::chrono::milliseconds transaction_timeout_;
  /// When the broker hears of the transaction: at its first record.
  std::optional<std::chrono::nanoseconds> began_;
  /// A copy of the last commit is still on its way.
  bool sent_again_ = false;
};

class sim_streams final : public stream_system {
public:
  sim_streams(std::shared_ptr<stream_system> base, shared_chance chance)
      : base_(std::move(base)), chance_(chance) {}

  std::string describe() const override { return base_->describe(); }
  result<std::optional<topic_settings>>
  describe_topic(const std::string& topic) override {
    return base_->describe_topic(topic);
  }
  result<void> create_topic(const std::string& topic,
                            const topic_settings& settings) override {
    return base_->create_topic(topic, settings);
  }
  result<void> delete_topic(const std::string& topic) override {
    return base_->delete_topic(topic);
  }
  result<watermarks> query_watermarks(const std::string& topic,
                                      std::int32_t partition,
                                      isolation level) override {
    auto limits = base_->query_watermarks(topic, partition, level);
    // The last transaction of a changelog has two records at least: its commit
    // record and the marker.
    if (limits && level == isolation::read_uncommitted &&
        chance_.lie == stream_lie::early_target)
      limits->high = std::max(limits->low, limits->high - 2);
    if (limits && level == isolation::read_committed && is_changelog(topic))
      limits->high = std::max(limits->low, limits->high - 2);
    return limits;
  }
  result<std::vector<cluster_finding>>
  check_cluster(const std::vector<std::string>& changelogs) override {
    return base_->check_cluster(changelogs);
  }
  result<int> broker_count() override { return base_->broker_count(); }
  result<std::vector<std::optional<std::int64_t>>>
  group_offsets(const std::string& group, const std::string& topic,
                int partitions) override {
    return base_->group_offsets(group, topic, partitions);
  }
  result<void>
  commit_group_offsets(const std::string& group, const std::string& topic,
                       const std::vector<std::pair<std::int32_t, std::int64_t>>&
                           offsets) override {
    return base_->commit_group_offsets(group, topic, offsets);
  }
  result<void> delete_group(const std::string& group) override {
    return base_->delete_group(group);
  }

  result<std::unique_ptr<partition_reader>>
  open_reader(reader_options options) override {
    auto silent = is_changelog(options.topic) ? chance_.faults.silent_polls : 0;
    auto opened = base_->open_reader(std::move(options));
    if (!opened)
      return opened;
    return std::make_unique<sim_reader>(std::move(*opened), chance_.random,
                                        silent);
  }
  result<std::unique_ptr<producer>>
  open_producer(producer_options options) override {
    auto timeout = options.transaction_timeout;
    auto& id = options.transactional_id;
    if (!id.empty() && !chance_.history.initialised.insert(id).second)
      chance_.history.problems.push_back(id + " is initialised again (L2)");
    auto opened = base_->open_producer(std::move(options));
    if (!opened)
      return opened;
    return std::make_unique<sim_producer>(std::move(*opened), chance_, timeout);
  }
  result<void> fence(const std::string& id,
                     std::chrono::milliseconds limit) override {
    if (chance_.lie == stream_lie::no_fence)
      return {};
    if (chance_.hits(chance_.faults.fence_blocked))
      return fail(ec::timed_out, "simulated: no coordinator");
    return base_->fence(id, limit);
  }

private:
  std::shared_ptr<stream_system> base_;
  shared_chance chance_;
};

} // namespace

std::shared_ptr<stream_system>
make_sim_streams(std::shared_ptr<stream_system> base, stream_faults faults,
                 stream_lie lie, std::shared_ptr<executor> late,
                 random_source& random, const virtual_time& time,
                 stream_history& history) {
  return std::make_shared<sim_streams>(
      std::move(base),
      shared_chance{faults, lie, std::move(late), random, time, history});
}

} // namespace weir::sim
