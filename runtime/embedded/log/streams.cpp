#include "runtime/embedded/log/streams.hpp"

#include "runtime/embedded/log/log.hpp"
#include "runtime/embedded/log/producer.hpp"
#include "runtime/embedded/log/reader.hpp"

namespace weir {

namespace {

class embedded_streams final : public stream_system {
public:
  embedded_streams(std::shared_ptr<embedded_log> log,
                   embedded_stream_options options)
      : log_(std::move(log)), options_(options) {}

  std::string describe() const override {
    return "embedded " + log_->database().directory();
  }

  // -- topics

  result<std::optional<topic_settings>>
  describe_topic(const std::string& topic) override {
    auto found = log_->find(topic);
    if (!found)
      return std::nullopt;
    return found->settings;
  }

  result<void> create_topic(const std::string& topic,
                            const topic_settings& settings) override {
    return log_->create(topic, settings);
  }

  result<void> delete_topic(const std::string& topic) override {
    return log_->remove(topic);
  }

  result<watermarks> query_watermarks(const std::string& topic,
                                      std::int32_t partition,
                                      isolation) override {
    auto place = find(topic, partition);
    if (!place)
      return fail(place.error());
    auto limits = (*place)->find(partition)->limits();
    return watermarks{limits.low, limits.high};
  }

  result<std::vector<cluster_finding>>
  check_cluster(const std::vector<std::string>&) override {
    return std::vector<cluster_finding>{};
  }

  result<int> broker_count() override { return 1; }

  // -- group offsets

  result<std::vector<std::optional<std::int64_t>>>
  group_offsets(const std::string& group, const std::string& topic,
                int partitions) override {
    std::vector<std::optional<std::int64_t>> offsets;
    auto found = log_->find(topic);
    for (int p = 0; p < partitions; ++p) {
      std::string bytes;
      auto present =
          found ? log_->database().get(
                      log_format::group_key(group, {found->id, p}), bytes)
                : result<bool>{false};
      if (!present)
        return fail(present.error());
      auto number = *present ? log_format::decode_number(bytes) : std::nullopt;
      offsets.push_back(number);
    }
    return offsets;
  }

  result<void>
  commit_group_offsets(const std::string& group, const std::string& topic,
                       const std::vector<std::pair<std::int32_t, std::int64_t>>&
                           offsets) override {
    embedded_batch batch;
    for (auto& [partition, offset] : offsets) {
      auto place = find(topic, partition);
      if (!place)
        return fail(place.error());
      batch.put(log_format::group_key(group, {(*place)->id, partition}),
                log_format::encode_number(static_cast<std::uint64_t>(offset)));
    }
    return log_->database().write(batch);
  }

  result<void> delete_records(const std::string& topic,
                              const partition_offsets& below) override {
    for (auto& [partition, offset] : below)
      if (auto done = log_->delete_below(topic, partition, offset); !done)
        return done;
    return {};
  }

  result<void> delete_group(const std::string& group) override {
    embedded_batch batch;
    auto scanned = log_->database().scan_prefix(
        log_format::group_prefix(group),
        [&](std::string_view key, std::string_view) {
          batch.erase(key);
          return true;
        });
    return scanned ? log_->database().write(batch) : scanned;
  }

  // -- readers and producers

  result<std::unique_ptr<partition_reader>>
  open_reader(reader_options options) override {
    return open_embedded_reader(log_, std::move(options));
  }

  result<std::unique_ptr<producer>>
  open_producer(producer_options options) override {
    if (options.transactional_id.empty())
      return open_plain_producer(log_, std::move(options),
                                 options_.own_threads);
    return open_transactional_producer(log_, std::move(options));
  }

  result<void> fence(const std::string& transactional_id,
                     std::chrono::milliseconds) override {
    if (transactional_id.empty())
      return fail(ec::bad_argument, "an empty transactional id is not fenced");
    auto later = log_->initialise(transactional_id);
    return later ? result<void>{} : fail(later.error());
  }

private:
  /// The topic, if it has this partition.
  result<std::shared_ptr<log_topic>> find(const std::string& topic,
                                          std::int32_t partition) {
    auto found = log_->get(topic);
    if (found && (*found)->find(partition) == nullptr)
      return fail(ec::not_found,
                  name_of(**found, partition) + " does not exist");
    return found;
  }

  const std::shared_ptr<embedded_log> log_;
  const embedded_stream_options options_;
};

} // namespace

result<std::unique_ptr<stream_system>>
make_embedded_streams(std::shared_ptr<embedded_database> database,
                      std::shared_ptr<outside_world> world,
                      embedded_stream_options options) {
  auto log = embedded_log::open(std::move(database), std::move(world));
  if (!log)
    return fail(log.error());
  return std::make_unique<embedded_streams>(std::move(*log), options);
}

} // namespace weir
