// How long the phases of a lane's commit took.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weir {

/// A commit that is slow says where its time went; a fast one costs four
/// stores. Used by one lane; knows no clock. Times in milliseconds.
class commit_timing {
public:
  void sealing(std::int64_t now) noexcept {
    asked_ = now;
    sealed_ = committed_ = -1;
  }
  void publishing(std::int64_t now) noexcept { sealed_ = now; }
  void committed(std::int64_t now) noexcept { committed_ = now; }

  struct phases {
    std::int64_t seal;
    std::int64_t publish;
    std::int64_t apply;
    std::int64_t total() const noexcept { return seal + publish + apply; }
  };

  /// After the last apply. Nothing: no commit was measured since the last call.
  std::optional<phases> applied(std::int64_t now) noexcept {
    if (committed_ < 0)
      return std::nullopt;
    phases out{sealed_ - asked_, committed_ - sealed_, now - committed_};
    committed_ = -1;
    return out;
  }

private:
  std::int64_t asked_ = 0;
  std::int64_t sealed_ = 0;
  std::int64_t committed_ = -1;
};

/// Ten times T_c and one second: beyond both it is told of.
inline bool is_slow(const commit_timing::phases& x,
                    std::int64_t check_interval) noexcept {
  return x.total() > 10 * check_interval && x.total() > 1'000;
}

} // namespace weir
