// What `weir::topics` does without knowing types.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/stream/stream.hpp"
#include "weir/client.hpp"

namespace weir::detail {

/// Writes through one plain producer, opened by the first record. Thread-safe;
/// every call may block.
class topic_io : public std::enable_shared_from_this<topic_io> {
public:
  using naming = std::function<std::string(const std::string& declared)>;

  /// `name_of`: what a declared topic is called.
  topic_io(std::shared_ptr<stream_system> streams, naming name_of)
      : streams_(std::move(streams)), name_of_(std::move(name_of)) {}

  result<position> send(std::string_view topic, const raw_side& key,
                        const raw_side& value, const emit_options& how);
  result<void> post(std::string_view topic, const raw_side& key,
                    const raw_side& value, const emit_options& how);
  result<void> flush(duration patience);
  result<std::unique_ptr<raw_reader>> open(std::string_view topic,
                                           start_at where);
  result<void> create(std::string_view topic, int partitions);
  /// Every later call answers `closed`; readers that are open go on. What was
  /// enqueued is waited for, for `patience` at most.
  void close(duration patience);

private:
  struct opened {
    std::shared_ptr<stream_system> streams;
    std::shared_ptr<producer> writer;
    outgoing record;
  };

  result<opened> prepare(std::string_view topic, const raw_side& key,
                         const raw_side& value, const emit_options& how);
  result<void> hand_over(const opened& x, delivery_listener* listener);
  result<std::shared_ptr<stream_system>> streams();

  std::mutex mutex_;
  std::shared_ptr<stream_system> streams_;
  std::shared_ptr<producer> writer_;
  std::map<std::string, topic_ref, std::less<>> refs_;
  std::int32_t next_partition_ = 0;
  const naming name_of_;
};

} // namespace weir::detail
