#include "test/simulation/sim_streams.hpp"

#include <algorithm>
#include <utility>

#include "test/driver/forwarding_streams.hpp"

namespace weir::sim {

namespace {

class sim_reader final : public partition_reader {
public:
  sim_reader(std::unique_ptr<partition_reader> base,
             std::shared_ptr<stream_setup> setup, bool changelog,
             std::function<void()> on_ready)
      : base_(std::move(base)), setup_(std::move(setup)),
        on_ready_(std::move(on_ready)),
        polls_(changelog ? node_call::read_changelog : node_call::read_input),
        silent_polls_(changelog ? setup_->faults.silent_polls : 0) {}

  result<void> poll(record_batch& out, std::size_t max) override {
    if (auto why = setup_->planned.hit(polls_))
      return fail(*why);
    if (silent_polls_ > 0) {
      --silent_polls_;
      return base_->poll(out, 0);
    }
    auto few = 1 + setup_->random.below(4);
    auto done = base_->poll(out, std::min<std::size_t>(max, few));
    if (setup_->wakes && done && !out.empty() && on_ready_)
      on_ready_();
    return done;
  }
  std::int64_t position() const noexcept override { return base_->position(); }
  bool at_end() const noexcept override { return base_->at_end(); }

private:
  std::unique_ptr<partition_reader> base_;
  std::shared_ptr<stream_setup> setup_;
  std::function<void()> on_ready_;
  node_call polls_;
  unsigned silent_polls_;
};

class sim_streams final : public forwarding_streams {
public:
  explicit sim_streams(std::shared_ptr<stream_setup> setup)
      : forwarding_streams(setup->base), setup_(std::move(setup)) {}

  result<void> create_topic(const std::string& topic,
                            const topic_settings& settings) override {
    if (setup_->dead)
      return dead();
    return base().create_topic(topic, settings);
  }
  result<watermarks> query_watermarks(const std::string& topic,
                                      std::int32_t partition,
                                      isolation level) override {
    if (setup_->dead)
      return dead();
    if (is_changelog(topic) && setup_->hits(setup_->faults.no_watermarks))
      return fail(ec::timed_out, "simulated: no answer about the changelog");
    if (is_changelog(topic))
      if (auto why = setup_->planned.hit(node_call::changelog_end))
        return fail(*why);
    auto limits = base().query_watermarks(topic, partition, level);
    if (limits)
      limits->low = setup_->history.low_of(topic, partition, limits->low);
    // The last transaction of a changelog has two records at least: its commit
    // record and the marker.
    if (limits && level == isolation::read_uncommitted &&
        setup_->lie == stream_lie::early_target)
      limits->high = std::max(limits->low, limits->high - 2);
    if (limits && level == isolation::read_committed && is_changelog(topic))
      limits->high = std::max(limits->low, limits->high - 2);
    return limits;
  }
  result<void>
  commit_group_offsets(const std::string& group, const std::string& topic,
                       const std::vector<std::pair<std::int32_t, std::int64_t>>&
                           offsets) override {
    if (setup_->dead)
      return dead();
    return base().commit_group_offsets(group, topic, offsets);
  }

  result<std::unique_ptr<partition_reader>>
  open_reader(reader_options options) override {
    if (setup_->dead)
      return dead();
    auto changelog = is_changelog(options.topic);
    auto low = setup_->history.low_of(options.topic, options.partition, 0);
    if (options.start < low)
      return fail(ec::offset_out_of_range, "simulated: deleted by retention");
    auto on_ready = options.on_ready;
    auto opened = base().open_reader(std::move(options));
    if (!opened)
      return opened;
    return std::make_unique<sim_reader>(std::move(*opened), setup_, changelog,
                                        std::move(on_ready));
  }
  result<std::unique_ptr<producer>>
  open_producer(producer_options options) override {
    if (setup_->dead)
      return dead();
    auto timeout = options.transaction_timeout;
    auto id = options.transactional_id;
    if (setup_->hits(setup_->faults.no_producer))
      return fail(ec::timed_out, "simulated: no coordinator");
    if (auto why = setup_->planned.hit(node_call::open_producer))
      return fail(*why);
    if (!id.empty() && !setup_->history.initialised.insert(id).second)
      setup_->history.problems.insert(id + " is initialised again (L2)");
    auto opened = base().open_producer(std::move(options));
    if (!opened)
      return opened;
    return make_sim_producer(std::move(*opened), setup_, std::move(id),
                             timeout);
  }
  result<void> fence(const std::string& id,
                     std::chrono::milliseconds limit) override {
    if (setup_->dead)
      return dead();
    if (setup_->lie == stream_lie::no_fence)
      return {};
    if (setup_->hits(setup_->faults.fence_blocked))
      return fail(ec::timed_out, "simulated: no coordinator");
    if (auto why = setup_->planned.hit(node_call::fence))
      return fail(*why);
    auto done = base().fence(id, limit);
    if (done)
      setup_->history.fenced.insert(id);
    return done;
  }

private:
  static failure dead() {
    return fail(ec::closed, "simulated: the process is dead");
  }

  std::shared_ptr<stream_setup> setup_;
};

} // namespace

std::shared_ptr<stream_system>
make_sim_streams(std::shared_ptr<stream_setup> setup) {
  return std::make_shared<sim_streams>(std::move(setup));
}

} // namespace weir::sim
