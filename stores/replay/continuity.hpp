// Whether a changelog goes on where a store is (R5).
#pragma once

#include <cstdint>

#include "stores/database/metadata.hpp"
#include "weir/error.hpp"
#include "weir/record.hpp"

namespace weir {

/// Whether `x` is the commit record that ends at that position.
bool is_anchor(const record& x, const changelog_position& at);

/// A plain state machine for who only looks: fed with the changelog's committed
/// records in order, it finds what a restore of that store would refuse as the
/// changelog of another one, or a shortened one.
class continuity {
public:
  /// `metadata` have a commit. `start` is where the reading begins: the answer
  /// of `restore_start`, or lower.
  continuity(const database_metadata& metadata, std::int64_t start)
      : metadata_(metadata), start_(start) {}

  void see(const record& x, const origin& by);

  /// Whether there was a commit after the store's.
  bool has_later() const noexcept { return later_; }

  /// At the end. Errors: `data_loss`.
  result<void> check() const;

private:
  database_metadata metadata_;
  std::int64_t start_;
  bool other_ = false;
  bool met_ = false;
  bool later_ = false;
};

} // namespace weir
