// A stream system that hands everything on, to be overridden in parts.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/stream/stream.hpp"

namespace weir {

class forwarding_streams : public stream_system {
public:
  explicit forwarding_streams(std::shared_ptr<stream_system> base)
      : base_(std::move(base)) {}

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
  result<void> delete_records(const std::string& topic,
                              const partition_offsets& below) override {
    return base_->delete_records(topic, below);
  }
  result<watermarks> query_watermarks(const std::string& topic,
                                      std::int32_t partition,
                                      isolation level) override {
    return base_->query_watermarks(topic, partition, level);
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
    return base_->open_reader(std::move(options));
  }
  result<std::unique_ptr<producer>>
  open_producer(producer_options options) override {
    return base_->open_producer(std::move(options));
  }
  result<void> fence(const std::string& id,
                     std::chrono::milliseconds limit) override {
    return base_->fence(id, limit);
  }

protected:
  stream_system& base() noexcept { return *base_; }

private:
  std::shared_ptr<stream_system> base_;
};

} // namespace weir
