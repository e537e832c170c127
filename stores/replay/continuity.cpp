#include "stores/replay/continuity.hpp"

namespace weir {

bool is_anchor(const record& x, const changelog_position& at) {
  if (x.offset() != at.offset - 1 || x.key() != commit_key || !x.value())
    return false;
  auto decoded = decode_commit(*x.value());
  return decoded && checksum(*decoded) == at.checksum;
}

void continuity::see(const record& x, const origin& by) {
  auto& latest = metadata_.commit->by;
  if (x.key() == commit_key) {
    met_ |= !before(by, latest);
    later_ |= before(latest, by);
  }
  auto& position = metadata_.position;
  if (!position)
    return;
  if (x.offset() == position->offset - 1)
    other_ |= !is_anchor(x, *position);
  // The position's own commit divides the changelog.
  other_ |= x.offset() < position->offset ? before(position->by, by)
                                          : !before(position->by, by);
}

// R5.
result<void> continuity::check() const {
  if (other_)
    return fail(ec::data_loss, "the changelog has other records than the store "
                               "was made of: it was recreated, truncated or "
                               "restored from a backup");
  // Compaction removes a commit record only where there is a later one.
  auto begins_before =
      !metadata_.position || start_ < metadata_.position->offset;
  if (begins_before && !met_)
    return fail(ec::data_loss, "the changelog has neither the commit that the "
                               "store is at, " +
                                   to_string(metadata_.commit->by) +
                                   ", nor a later one");
  return {};
}

} // namespace weir
