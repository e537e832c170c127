// What a task sends: outputs, internal topics, dead letters, the changelog.
#include <algorithm>

#include "actors/task/task_core.hpp"
#include "runtime/stream/partitioner.hpp"
#include "runtime/stream/record_access.hpp"
#include "stores/kv/store_error.hpp"

namespace weir {

/// An internal topic takes what its sources lead to (T40).
void task_core::find_hop_sources() {
  auto& job = context_->job;
  auto& sources = job.sources();
  for (auto& name : job.internals()) {
    auto* what = job.find(role::internal, name);
    auto names = what->sources.names();
    std::vector<bool> takes;
    for (auto& from : sources)
      takes.push_back(
          names.empty() ||
          std::find(names.begin(), names.end(), from) != names.end() ||
          (what->loop && job.find(role::internal, from) != nullptr));
    hop_sources_.push_back(std::move(takes));
  }
}

void task_core::check_source(std::size_t target) const {
  auto& job = context_->job;
  if (hop_sources_[target - job.outputs().size()][current_input_]) [[likely]]
    return;
  throw store_error{ec::bad_argument,
                    "internal topic '" + job.targets()[target] +
                        "' is fed from '" + std::string{current_->input()} +
                        "': name it in its weir::from{...}"};
}

void task_core::emit(int output, const detail::raw_side& key,
                     const detail::raw_side& value, const emit_options& how) {
  auto index = static_cast<std::size_t>(output);
  if (closed_)
    throw store_error{ec::closed,
                      "output '" + context_->job.targets()[index] +
                          "': the task's last commit is over, what is emitted "
                          "now would be lost"};
  auto count = restored_->output_partitions[index];
  queued_record out;
  out.to = output_target(output);
  if (key.there)
    out.key = key.bytes;
  if (value.there)
    out.value = value.bytes;
  out.headers = how.headers;
  if (how.partition && (*how.partition < 0 || *how.partition >= count))
    throw store_error{
        ec::bad_argument,
        "output '" + context_->job.targets()[index] + "' has no partition " +
            std::to_string(*how.partition) + ", only " + std::to_string(count)};
  if (how.partition)
    out.partition = *how.partition;
  else
    out.partition = key.there ? partition_of(key.bytes, count)
                              : restored_->partition % count;
  if (how.timestamp)
    out.timestamp = how.timestamp->time_since_epoch().count();
  else if (current_ != nullptr)
    out.timestamp = detail::record_access::timestamp_ms(*current_);
  std::vector<header> inherited;
  auto is_hop = index >= context_->job.outputs().size();
  hop_written_ |= is_hop;
  if (current_ != nullptr && is_hop) {
    check_source(index);
    // Headers go with the record (T42).
    if (how.headers.empty())
      out.headers = inherited = current_->headers();
  }
  if (current_ != nullptr) {
    // What no topic takes makes the record bad that led to it: it would come
    // again and again.
    if (auto fits = out_.fits(out); !fits) [[unlikely]]
      return reject(fits.error().text(), parked_kind::too_large);
    return out_.stage(out);
  }
  // A timer or a message has no record to be undone with.
  out_.stage(out);
  if (auto sent = out_.accept(); !sent && !send_problem_)
    send_problem_ = sent.error();
  out_.hasten();
  if (wake_ && (send_problem_ || !out_.is_drained()))
    wake_();
}

void task_core::stage_dead_letter(const record& x) {
  auto partition = std::to_string(x.partition());
  auto offset = std::to_string(x.offset());
  auto headers = x.headers();
  headers.push_back({"weir.topic", x.topic()});
  headers.push_back({"weir.partition", partition});
  headers.push_back({"weir.offset", offset});
  headers.push_back({"weir.error", *rejection_});
  queued_record out;
  out.to = target::dead_letter;
  out.partition = restored_->partition;
  out.key = x.key();
  out.value = x.value();
  out.headers = headers;
  out.timestamp = detail::record_access::timestamp_ms(x);
  out_.stage(out);
}

result<void> task_core::send_change(std::string_view header_value,
                                    std::string_view key,
                                    std::optional<std::string_view> value,
                                    std::shared_ptr<commit_slot> slot) {
  header mark{origin_header, header_value};
  queued_record out;
  out.to = target::changelog;
  out.partition = restored_->partition;
  out.key = key;
  out.value = value;
  out.headers = {&mark, 1};
  out.listener = slot.get();
  return out_.send_sealed(out);
}

} // namespace weir
