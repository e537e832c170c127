#include "runtime/kafka/groups.hpp"

#include <memory>

#include <fmt/format.h>

namespace weir::kafka {

namespace {

struct list_deleter {
  void operator()(rd_kafka_topic_partition_list_t* x) const noexcept {
    rd_kafka_topic_partition_list_destroy(x);
  }
};
using list_ptr = std::unique_ptr<rd_kafka_topic_partition_list_t, list_deleter>;

struct queue_deleter {
  void operator()(rd_kafka_queue_t* x) const noexcept {
    rd_kafka_queue_destroy(x);
  }
};
using queue_ptr = std::unique_ptr<rd_kafka_queue_t, queue_deleter>;

/// What an answer about one group says: the code of the group, else of its
/// first partition that has one. The text for a person goes to `why`.
rd_kafka_resp_err_t code_of_group(const rd_kafka_group_result_t** results,
                                  std::size_t count, std::string& why) {
  if (count != 1)
    return RD_KAFKA_RESP_ERR__FAIL;
  if (auto* error = rd_kafka_group_result_error(results[0])) {
    why = rd_kafka_error_string(error);
    return rd_kafka_error_code(error);
  }
  auto* partitions = rd_kafka_group_result_partitions(results[0]);
  for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i)
    if (partitions->elems[i].err)
      return partitions->elems[i].err;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/// Sends with `start` and hands the results to `read`, again while the group's
/// coordinator is on its way.
template <class Start, class Results, class Read>
result<void> ask_group(handle& with, rd_kafka_admin_op_t kind,
                       const std::string& what, deadline until, Start start,
                       Results results, Read read) {
  std::optional<error> failure;
  std::string why;
  auto code = repeat_transient(until, [&](int) {
    failure.reset();
    why.clear();
    auto answer = ask_admin(with, kind, what, until, start);
    if (!answer) {
      failure = answer.error();
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    std::size_t count = 0;
    auto** found = results(answer->get(), &count);
    auto code = code_of_group(found, count, why);
    if (!code)
      read(*found[0]);
    return code;
  });
  if (failure)
    return fail(*failure);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return {};
  auto seen = with.explain(code, what);
  if (why.empty())
    return fail(std::move(seen));
  return fail(seen.code(), fmt::format("{}: {}", seen.text(), why));
}

} // namespace

result<std::vector<std::optional<std::int64_t>>>
list_group_offsets(handle& member, const std::string& topic, int partitions,
                   deadline until) {
  std::vector<std::optional<std::int64_t>> out(
      static_cast<std::size_t>(partitions));
  list_ptr list{rd_kafka_topic_partition_list_new(partitions)};
  for (int i = 0; i < partitions; ++i)
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i);
  if (auto code = repeat_transient(until, [&](int wait_ms) {
        return rd_kafka_committed(member.raw(), list.get(), wait_ms);
      }))
    return fail(member.explain(code, "offsets of the group"));
  for (int i = 0; i < list->cnt; ++i) {
    auto& entry = list->elems[i];
    if (!entry.err && entry.offset >= 0)
      out[static_cast<std::size_t>(entry.partition)] = entry.offset;
  }
  return out;
}

result<void> commit_group_offsets(
    handle& member, const std::string& topic,
    const std::vector<std::pair<std::int32_t, std::int64_t>>& offsets,
    deadline until) {
  if (offsets.empty())
    return {};
  list_ptr list{
      rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size()))};
  for (auto& [partition, offset] : offsets)
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)
        ->offset = offset;
  auto code = repeat_transient(until, [&](int) {
    queue_ptr answers{rd_kafka_queue_new(member.raw())};
    if (auto refused = rd_kafka_commit_queue(member.raw(), list.get(),
                                             answers.get(), nullptr, nullptr))
      return refused;
    event_ptr answer{await_event(answers.get(), until)};
    return answer ? rd_kafka_event_error(answer.get())
                  : RD_KAFKA_RESP_ERR__TIMED_OUT;
  });
  if (code)
    return fail(member.explain(code, "commit offsets of the group"));
  return {};
}

result<void> delete_group(handle& with, const std::string& group,
                          deadline until) {
  bool missing = false;
  auto done = ask_group(
      with, RD_KAFKA_ADMIN_OP_DELETEGROUPS,
      fmt::format("delete group '{}'", group), until,
      [&](auto* client, auto* options, auto* queue) {
        auto* wanted = rd_kafka_DeleteGroup_new(group.c_str());
        rd_kafka_DeleteGroups(client, &wanted, 1, options, queue);
        rd_kafka_DeleteGroup_destroy(wanted);
      },
      [&](rd_kafka_event_t* event, std::size_t* count) {
        auto** found = rd_kafka_DeleteGroups_result_groups(
            rd_kafka_event_DeleteGroups_result(event), count);
        auto* error =
            *count == 1 ? rd_kafka_group_result_error(found[0]) : nullptr;
        missing = error != nullptr && rd_kafka_error_code(error) ==
                                          RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND;
        return found;
      },
      [](const rd_kafka_group_result_t&) {});
  if (missing)
    return {};
  return done;
}

} // namespace weir::kafka
