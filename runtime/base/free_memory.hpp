// Giving memory back to the operating system once it is not needed any more.
#pragma once

#include <cstdint>

namespace weir {

/// Returns what the allocator keeps free, but for the threads' small caches.
/// Others who allocate meanwhile may wait. Any thread.
void release_free_memory() noexcept;

/// Says when that is worth it: once after each time of work, when it has been
/// quiet for ten seconds. By itself jemalloc gives back only while somebody
/// allocates, and glibc nothing while one small piece above it is in use: a
/// quiet node would keep for ever what a backlog or a restore took. Plain; asked
/// twice a second.
class idle_watch {
public:
  /// `records` processed so far, `running` tasks now.
  bool look(std::uint64_t records, int running) noexcept {
    bool busy = records - records_ >= busy_records || running != running_;
    records_ = records;
    running_ = running;
    quiet_ = busy ? 0 : quiet_ + 1;
    worked_ |= busy;
    if (!worked_ || quiet_ < quiet_looks)
      return false;
    worked_ = false;
    return true;
  }

private:
  /// Between two looks; fewer need no memory to speak of.
  static constexpr std::uint64_t busy_records = 500;
  static constexpr int quiet_looks = 20;

  std::uint64_t records_ = 0;
  int running_ = 0;
  int quiet_ = 0;
  bool worked_ = false;
};

} // namespace weir
