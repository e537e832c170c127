// The partition reader on top of a consumer.
#pragma once

#include <memory>
#include <optional>

#include "runtime/kafka/consumer.hpp"
#include "runtime/kafka/requests.hpp"
#include "runtime/stream/stream.hpp"

namespace weir::kafka {

/// Belongs to one actor. Records are views into librdkafka's messages, which
/// the batch owns. Errors are final: after one every poll repeats it.
class reader final : public partition_reader {
public:
  /// [blocking] Errors: `not_found`, `disconnected`, `timed_out`.
  static result<std::unique_ptr<reader>>
  open(std::shared_ptr<consumer> with, reader_options options, deadline until);

  ~reader() override;

  result<void> poll(record_batch& out, std::size_t max) override;
  std::int64_t position() const noexcept override { return position_; }
  bool at_end() const noexcept override { return at_end_; }

private:
  reader(std::shared_ptr<consumer> with, reader_options options);

  /// Appends what the batch keeps of `count` messages.
  std::size_t take(rd_kafka_message_t** messages, std::size_t count,
                   std::vector<record>& out);
  void on_end(std::int64_t offset) noexcept;
  void on_error(rd_kafka_resp_err_t code, std::int64_t offset,
                std::string_view text);

  const std::shared_ptr<consumer> consumer_;
  partition_slot slot_;
  std::int64_t position_;
  bool at_end_ = false;
  std::optional<error> failure_;
  /// Since when the brokers say that the partition does not exist.
  std::optional<std::chrono::steady_clock::time_point> missing_since_;
  std::vector<queue_errors::entry> errors_;
  /// By the last look into the queue.
  std::size_t bytes_taken_ = 0;
  /// A poll that took this much found a backlog.
  std::size_t backlog_bytes_;
};

} // namespace weir::kafka
