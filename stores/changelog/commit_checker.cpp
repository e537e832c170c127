#include "stores/changelog/commit_checker.hpp"

#include <fmt/format.h>

namespace weir {

namespace {

// R8.
failure out_of_order(const origin& x, const origin& after) {
  if (x.epoch < after.epoch)
    return fail(ec::corruption,
                fmt::format("{} comes after epoch {}: a deposed owner wrote "
                            "after its successor",
                            to_string(x), after.epoch));
  return fail(ec::corruption,
              fmt::format("{} comes after {}", to_string(x), to_string(after)));
}

/// Two lanes cannot have had the same epoch.
bool contradict(const origin& x, const origin& y) {
  return x.epoch == y.epoch && !(x.lane == y.lane);
}

} // namespace

result<void> commit_checker::check_order(const origin& by) const {
  if (last_ && (!before(*last_, by) || contradict(*last_, by)))
    return out_of_order(by, *last_);
  if (group_ && (before(by, *group_) || contradict(by, *group_)))
    return out_of_order(by, *group_);
  return {};
}

result<bool> commit_checker::data(const origin& by, std::string_view key,
                                  std::optional<std::string_view> value) {
  if (auto fine = check_order(by); !fine)
    return fail(fine.error());
  auto torn = checked() && group_ && *group_ != by;
  if (torn)
    sum_ = {};
  group_ = by;
  sum_.add(key, value);
  return torn;
}

result<commit_checker::commit_answer>
commit_checker::commit(const origin& by, const commit_record& x) {
  if (by != x.by)
    return fail(ec::corruption,
                fmt::format("the commit record of {} has the header of {}",
                            to_string(x.by), to_string(by)));
  if (x.generation != generation_)
    return fail(ec::corruption,
                fmt::format("the changelog holds a commit of generation {}, "
                            "the job is generation {}: the topic belongs to "
                            "another or an earlier job of this name",
                            x.generation, generation_));
  if (auto fine = check_order(by); !fine)
    return fail(fine.error());
  commit_answer answer;
  if (checked()) {
    auto torn = group_ && *group_ != by;
    if (torn)
      sum_ = {};
    answer = compare(x);
    answer.torn_before = torn;
  }
  last_ = by;
  group_.reset();
  sum_ = {};
  chain_ = checksum(x);
  return answer;
}

commit_checker::commit_answer
commit_checker::compare(const commit_record& x) const {
  commit_answer answer;
  if (x.previous != *chain_)
    answer.why = fmt::format("it does not follow the commit record before it, "
                             "which is that of {}",
                             to_string(*last_));
  else if (x.record_count != sum_.count())
    answer.why = fmt::format("it has {} records, the changelog holds {}",
                             x.record_count, sum_.count());
  else if (x.records_checksum != sum_.value())
    answer.why = "the checksum of its records does not match";
  answer.matches = answer.why.empty();
  return answer;
}

} // namespace weir
