// Whether the records of a changelog are what its commit records say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/bytes/checksum.hpp"
#include "stores/changelog/commit_record.hpp"
#include "weir/error.hpp"

namespace weir {

/// Follows one changelog from a position on; owned by a restore.
///
///   unchecked ──first commit record──> checked ──commit record──┐
///                                         └─────────<───────────┘
///
/// Unchecked: the part may be compacted, so that records of several commits are
/// there, each the latest of its key, and neither a count nor the chain can be
/// demanded (R1). Checked: every commit record chains to the one before and
/// matches its records. The order of epochs and sequences holds in both.
class commit_checker {
public:
  explicit commit_checker(std::string generation)
      : generation_(std::move(generation)) {}

  /// Everything read from here on comes after commit `x`, though its record was
  /// not read.
  void start_after(const origin& x) { last_ = x; }

  /// A record of a key. True: the records since the last commit record belong
  /// to a transaction that was torn, this one begins another.
  /// Errors: `corruption` (R8).
  result<bool> data(const origin& by, std::string_view key,
                    std::optional<std::string_view> value);

  struct commit_answer {
    /// Chain, count and checksum match, or could not be checked.
    bool matches = true;
    /// The records since the last commit record are not of this commit.
    bool torn_before = false;
    /// Why it does not match.
    std::string why;
  };
  /// A commit record, whose header says `by`. Errors: `corruption` (R8, another
  /// generation).
  result<commit_answer> commit(const origin& by, const commit_record& x);

  /// Whether there was a commit record.
  bool checked() const noexcept { return chain_.has_value(); }

private:
  result<void> check_order(const origin& by) const;
  commit_answer compare(const commit_record& x) const;

  std::string generation_;
  /// The last complete commit.
  std::optional<origin> last_;
  /// Whose records are being read, and their sum.
  std::optional<origin> group_;
  record_checksum sum_;
  /// Checksum of the last commit record.
  std::optional<std::uint64_t> chain_;
};

} // namespace weir
