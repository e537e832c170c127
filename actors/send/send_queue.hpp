// Records that wait to be sent: a FIFO that keeps all bytes in one buffer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/stream/stream.hpp"

namespace weir {

/// Where a record of a task goes: one of the job's outputs by its index, or one
/// of the two topics that the runtime writes itself.
enum class target : int { dead_letter = -2, changelog = -1, first_output = 0 };

constexpr target output_target(int index) {
  return static_cast<target>(index);
}

/// One waiting record, as views into its queue. Its `topic` is not known before
/// it is sent: that depends on the producer.
struct queued_record : outgoing {
  target to = target::changelog;
  delivery_listener* listener = nullptr;
};

/// A plain container; one thread. Cleared memory is reused.
class send_queue {
public:
  void push(const queued_record& x);

  /// The oldest record; its views are valid until the next non-const call.
  queued_record front();
  void pop() noexcept;

  bool empty() const noexcept { return head_ == entries_.size(); }
  std::size_t bytes() const noexcept { return bytes_.size(); }
  void clear() noexcept;
  /// Gives room back that is not used now.
  void release_spare() {
    if (empty())
      *this = {};
  }

private:
  struct entry {
    std::size_t at;
    std::uint32_t key_size;
    std::uint32_t value_size;
    std::int64_t timestamp;
    delivery_listener* listener;
    std::uint32_t first_header;
    std::uint32_t headers;
    std::int32_t partition;
    target to;
    bool has_key;
    bool has_value;
  };
  struct header_sizes {
    std::uint32_t name;
    std::uint32_t value;
  };

  std::string bytes_;
  std::vector<entry> entries_;
  std::vector<header_sizes> header_sizes_;
  std::vector<header> header_views_;
  std::size_t head_ = 0;
};

} // namespace weir
