// `get` and `dump`: the state of a stopped job as JSON.
#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "actors/commands/commands.hpp"
#include "actors/commands/offline.hpp"

namespace weir {

namespace detail {

std::string json_of_string(const std::string& x) {
  return nlohmann::json(x).dump(-1, ' ', false,
                                nlohmann::json::error_handler_t::replace);
}

} // namespace detail

namespace {

/// The databases of a stopped job, and the store that was asked for.
struct opened_job {
  outside_systems systems;
  job_node node;
  const store_inspector* inspector = nullptr;
  std::string prefix;
  std::vector<std::unique_ptr<task_database>> databases;

  ~opened_job() {
    databases.clear();
    close_systems(systems);
  }
};

result<const store_inspector*> find_inspector(const application& app,
                                              const std::string& store) {
  for (auto& each : app.inspectors())
    if (store.empty() || each.store == store)
      return &each;
  return fail(ec::bad_argument,
              store.empty()
                  ? "this application shows none of its stores"
                  : "this application does not show a store '" + store + "'");
}

/// R6: what an unfinished restore left is the state of no commit.
bool holds_a_state(const task_database& x, int partition) {
  if (x.facts().commit && !x.facts().restoring_since)
    return true;
  std::fprintf(stderr,
               "weir: task %d is left out: %s; `run` restores its state\n",
               partition, x.reason().c_str());
  return false;
}

result<void> open_job(const application& app, const configuration& how,
                      const std::string& store, opened_job& out) {
  auto inspector = find_inspector(app, store);
  if (!inspector)
    return fail(inspector.error());
  out.inspector = *inspector;
  auto systems = open_systems(how.settings);
  if (!systems)
    return fail(systems.error());
  out.systems = *systems;
  auto session = waiting_session::open(*out.systems.coordination);
  if (!session)
    return fail(session.error());
  auto node = read_job_node(**session, how.job);
  if (!node)
    return fail(node.error());
  out.node = *node;
  auto number = node->stores.find(out.inspector->store);
  if (number == node->stores.end())
    return fail(ec::not_found,
                "the job has never had a store '" + out.inspector->store + "'");
  out.prefix.assign(1, static_cast<char>(number->second));
  for (int p = 0; p < node->partitions; ++p) {
    auto database = open_stopped(how, out.systems, *node, p);
    if (!database)
      return fail(database.error());
    if (*database && holds_a_state(**database, p))
      out.databases.push_back(std::move(*database));
  }
  if (out.databases.empty())
    return fail(ec::not_found, "no task of job '" + how.job.name() +
                                   "' has its state below " +
                                   how.settings.data_directory);
  return {};
}

/// Reads one task's store in pages, so that many can be merged.
class cursor {
public:
  cursor(backend& from, const std::string& prefix)
      : from_(from), prefix_(prefix), next_(prefix) {}

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
  std::string prefix_;
  std::string next_;
  std::vector<entry> page_;
  std::size_t at_ = 0;
  bool end_ = false;
};

result<void> print_all(opened_job& job) {
  std::vector<cursor> cursors;
  for (auto& each : job.databases)
    cursors.emplace_back(each->store(), job.prefix);
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
        job.inspector->key_json(std::string_view{entry->first}.substr(1));
    if (!key)
      return fail(key.error());
    auto value = job.inspector->value_json(entry->second);
    if (!value)
      return fail(value.error());
    std::printf("{\"key\":%s,\"value\":%s}\n", key->c_str(), value->c_str());
    least->pop();
  }
}

} // namespace

int get_command(const application& app, const configuration& how,
                const std::string& store, const std::string& key) {
  opened_job job;
  if (auto opened = open_job(app, how, store, job); !opened)
    return report(opened.error());
  auto encoded = job.inspector->encode_key(key);
  if (!encoded)
    return report(encoded.error());
  for (auto& each : job.databases) {
    std::string bytes;
    auto found = each->store().get(job.prefix + *encoded, bytes);
    if (!found)
      return report(found.error());
    if (!*found)
      continue;
    auto value = job.inspector->value_json(bytes);
    if (!value)
      return report(value.error());
    std::printf("%s\n", value->c_str());
    return exit_code::ok;
  }
  std::fprintf(stderr, "weir: no key '%s' in store %s\n", key.c_str(),
               job.inspector->store.c_str());
  return exit_code::failed;
}

int dump_command(const application& app, const configuration& how,
                 const std::string& store) {
  opened_job job;
  if (auto opened = open_job(app, how, store, job); !opened)
    return report(opened.error());
  if (auto done = print_all(job); !done)
    return report(done.error());
  return exit_code::ok;
}

} // namespace weir
