// Notices when one input of a task stands still although it has records.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

/// Told of every poll of the input, with the time. Plain; owned by a task, on
/// its thread. Times of `outside_world`: nanoseconds of its steady clock,
/// milliseconds of its wall clock.
class input_watch {
public:
  struct gap {
    /// "the broker gave nothing" or "the task did not read".
    std::string_view why;
    std::int64_t ms;
  };

  /// The reader has something; the task may not be free to read it.
  void ready(std::int64_t now_ns) noexcept {
    if (!ready_since_)
      ready_since_ = now_ns;
  }
  /// A poll gave nothing. `at_end`: the reader knows the end of the partition.
  void polled_nothing(bool at_end, std::int64_t now_ns,
                      std::int64_t wall_ms) noexcept;
  /// A poll gave records, the first of which was written at `written_ms`.
  /// Answers the gap that it ends, if that was longer than a second.
  std::optional<gap> polled(std::int64_t written_ms, std::int64_t now_ns,
                            std::int64_t wall_ms) noexcept;
  /// From time to time: a gap longer than a second that lasts; once.
  std::optional<gap> look(std::int64_t now_ns) noexcept;

private:
  struct silence {
    std::int64_t since_ns;
    std::int64_t since_wall_ms;
    bool at_end;
  };

  std::optional<std::int64_t> ready_since_;
  std::optional<silence> silent_;
  bool told_ = false;
};

} // namespace weir
