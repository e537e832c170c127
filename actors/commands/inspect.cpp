// `get` and `dump`: the state of a stopped job as JSON.
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "actors/commands/commands.hpp"
#include "actors/commands/record_text.hpp"
#include "actors/commands/stopped_job.hpp"

namespace weir {

namespace {

/// Reads one task's store in pages, so that many can be merged.
class cursor {
public:
  cursor(const stopped_job::task_state& of, const std::string& prefix)
      : from_(of.store()), task_(of.partition), prefix_(prefix), next_(prefix) {
  }
  int task() const noexcept { return task_; }

  using entry = std::pair<std::string, std::string>;

  /// Null at the end.
  result<const entry*> peek() {
    if (at_ == page_.size() && !end_)
      if (auto done = load(); !done)
        return fail(done.error());
    return at_ == page_.size() ? nullptr : &page_[at_];
  }
  void pop() { ++at_; }

private:
  result<void> load() {
    constexpr std::size_t page_size = 1'000;
    page_.clear();
    at_ = 0;
    auto end = prefix_;
    ++end.back();
    auto done = from_.scan(next_, end, [&](auto key, auto value) {
      page_.emplace_back(key, value);
      return page_.size() < page_size;
    });
    end_ = page_.size() < page_size;
    if (!page_.empty())
      next_ = page_.back().first + '\0';
    return done;
  }

  backend& from_;
  int task_;
  std::string prefix_;
  std::string next_;
  std::vector<entry> page_;
  std::size_t at_ = 0;
  bool end_ = false;
};

result<void> print_all(stopped_job& job) {
  std::vector<cursor> cursors;
  for (auto& each : job.databases)
    cursors.emplace_back(each, job.prefix);
  for (;;) {
    cursor* least = nullptr;
    const cursor::entry* entry = nullptr;
    for (auto& each : cursors) {
      auto head = each.peek();
      if (!head)
        return fail(head.error());
      if (*head != nullptr &&
          (entry == nullptr || (*head)->first < entry->first)) {
        least = &each;
        entry = *head;
      }
    }
    if (least == nullptr)
      return {};
    auto key =
        json_of(job.store->key, std::string_view{entry->first}.substr(1));
    auto value = json_of(job.store->value, entry->second);
    std::printf("{\"task\":%d,\"key\":%s,\"value\":%s}\n", least->task(),
                key.c_str(), value.c_str());
    least->pop();
  }
}

/// The bytes of a key as the user typed it.
result<std::string> key_of(const part& store, const std::string& typed) {
  auto out = typed_bytes(*store.key, typed);
  if (!out)
    return fail(out.error().within(
        fmt::format("key '{}' of store '{}'", typed, store.name)));
  return out;
}

/// One of them would be an answer that looks right.
void tell_of_several(const std::string& key, const part& store,
                     const std::vector<std::pair<int, std::string>>& found) {
  std::fprintf(stderr,
               "weir: key '%s' of store %s is in %zu tasks; ask one of them "
               "with --task N\n",
               key.c_str(), std::string{store.name}.c_str(), found.size());
  for (auto& [partition, value] : found)
    std::fprintf(stderr, "task %d: %s\n", partition, value.c_str());
}

/// Damage that is met only now stays there until somebody rebuilds.
int report_read(const error& why) {
  if (why.code() != ec::damaged)
    return report(why);
  return report(
      {why.code(), why.text() +
                       "; remove this database, and `run` rebuilds it from the "
                       "changelog"});
}

int finish(const stopped_job& job) {
  auto code = finish_output();
  if (code != exit_code::ok || job.complete)
    return code;
  std::fprintf(stderr, "weir: this is not the whole committed state; `run` "
                       "brings it up to date, or says why it cannot\n");
  return exit_code::failed;
}

} // namespace

int get_command(const application& app, const configuration& how,
                const std::string& store, const std::string& key,
                std::optional<int> task) {
  stopped_job job;
  if (auto opened = open_stopped_job(app, how, store, job); !opened)
    return report(opened.error());
  auto encoded = key_of(*job.store, key);
  if (!encoded)
    return report(encoded.error());
  std::vector<std::pair<int, std::string>> found;
  for (auto& each : job.databases) {
    if (task && each.partition != *task)
      continue;
    std::string bytes;
    auto there = each.store().get(job.prefix + *encoded, bytes);
    if (!there)
      return report_read(there.error());
    if (*there)
      found.emplace_back(each.partition, json_of(job.store->value, bytes));
  }
  if (found.size() == 1) {
    std::printf("%s\n", found[0].second.c_str());
    return finish(job);
  }
  if (found.empty())
    std::fprintf(stderr, "weir: no key '%s' in store %s%s\n", key.c_str(),
                 std::string{job.store->name}.c_str(),
                 task ? fmt::format(" of task {}", *task).c_str() : "");
  else
    tell_of_several(key, *job.store, found);
  return exit_code::failed;
}

int dump_command(const application& app, const configuration& how,
                 const std::string& store) {
  stopped_job job;
  if (auto opened = open_stopped_job(app, how, store, job); !opened)
    return report(opened.error());
  if (auto done = print_all(job); !done)
    return report_read(done.error());
  return finish(job);
}

} // namespace weir
