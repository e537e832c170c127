// Compares what a run left behind with the fold of its input.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "runtime/job/topics.hpp"
#include "stores/database/task_database.hpp"
#include "weir/store.hpp"
#include "stores/kv/task_state.hpp"
#include "stores/replay/restore.hpp"
#include "test/simulation/life.hpp"
#include "test/simulation/simulation.hpp"

namespace weir::sim {

namespace {

struct seen {
  std::string key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
};

class checker {
public:
  checker(machine& on, opened_systems systems, std::map<int, claim_node> claims)
      : on_(on), systems_(std::move(systems)), wanted_(expect(on.work)),
        claims_(std::move(claims)),
        repeats_allowed_(on.plan.promise == guarantee::at_least_once &&
                         may_fail(on.plan)) {}

  std::vector<std::string> run() {
    check_input();
    check_outputs();
    check_dead_letters();
    for (int p = 0; p < on_.work.partitions; ++p)
      check_task(p);
    check_claims();
    return std::move(problems_);
  }

  /// L8, H28: what is before the record that stopped a task is committed.
  std::vector<std::string>
  check_parked(const std::map<int, parked_node>& parked) {
    for (auto& [partition, node] : parked) {
      if (!node.has_record() || node.decision != parked_decision::none)
        continue;
      auto commit = last_commit(read(on_.work.job.changelog(), partition));
      std::int64_t position = 0;
      for (auto& input : commit ? commit->inputs : std::vector<input_position>{})
        if (input.topic == node.topic)
          position = input.next_offset;
      if (position != node.offset)
        complain("task {} is parked at {}@{}, its last commit is at {}",
                 partition, node.topic, node.offset, position);
    }
    return std::move(problems_);
  }

private:
  static bool may_fail(const scenario& x) {
    return !x.crash_after.empty() || x.crash_in_operation ||
           x.faults.lost_commit > 0 || x.broken_network > 0 ||
           !x.node_faults.empty() || !x.slow.empty() ||
           !x.failures.empty() || x.wrong != poison::none;
  }

  template <class... Args>
  void complain(fmt::format_string<Args...> text, Args&&... args) {
    problems_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  std::vector<seen> read(const std::string& topic, int partition) {
    std::vector<seen> out;
    auto limits = systems_.streams->query_watermarks(topic, partition,
                                                     isolation::read_committed);
    reader_options where;
    where.topic = topic;
    where.partition = partition;
    where.start = limits ? limits->low : 0;
    auto reader = systems_.streams->open_reader(where);
    if (!limits || !reader) {
      complain("{}/{} cannot be read", topic, partition);
      return out;
    }
    record_batch batch;
    while (!(*reader)->at_end()) {
      if (auto polled = (*reader)->poll(batch, 1000); !polled) {
        complain("{}/{}: {}", topic, partition, to_string(polled.error()));
        return out;
      }
      for (auto& x : batch.records()) {
        seen copy;
        copy.key = x.key().value_or("");
        if (x.value())
          copy.value = *x.value();
        for (auto& h : x.headers())
          copy.headers.emplace_back(h.name, h.value);
        out.push_back(std::move(copy));
      }
    }
    return out;
  }

  void check_input() {
    for (auto& [where, records] : on_.work.input) {
      auto found = read(where.first, where.second);
      if (found.size() != records.size())
        complain("input {}/{} has {} records, not {}", where.first,
                 where.second, found.size(), records.size());
    }
  }

  // -- outputs

  void check_outputs() {
    for (int p = 0; p < on_.work.partitions; ++p) {
      std::map<std::string, std::vector<std::string>> found;
      for (auto& x : read("results", p)) {
        auto value = x.value.value_or("");
        found[value.substr(0, value.find('/')) + '/' + x.key].push_back(value);
      }
      for (auto& [where, wanted] : wanted_.outputs)
        if (where.first == p)
          compare(fmt::format("results/{} of {}", p, where.second), wanted,
                  found[where.second]);
      for (auto& [name, values] : found)
        if (!wanted_.outputs.contains({p, name}))
          complain("results/{} of {}: nothing of that key was to come, such as "
                   "'{}'",
                   p, name, values.empty() ? "" : values.front());
    }
  }

  void compare(const std::string& what, const std::vector<std::string>& wanted,
               const std::vector<std::string>& found) {
    auto got = repeats_allowed_ ? without_repeats(found) : found;
    for (std::size_t i = 0; i < std::max(wanted.size(), got.size()); ++i)
      if (i >= wanted.size())
        return complain("{}: '{}' is there once more, or was not to come", what,
                        got[i]);
      else if (i >= got.size())
        return complain("{}: '{}' is missing", what, wanted[i]);
      else if (got[i] != wanted[i])
        return complain("{}: '{}' where '{}' was to come", what, got[i],
                        wanted[i]);
  }

  /// At-least-once repeats what a lost commit had: a step back, never ahead.
  static std::vector<std::string>
  without_repeats(const std::vector<std::string>& all) {
    std::vector<std::string> out;
    for (auto& each : all)
      if (std::find(out.begin(), out.end(), each) == out.end())
        out.push_back(each);
    return out;
  }

  void check_dead_letters() {
    std::vector<std::string> found;
    for (int p = 0; p < on_.work.partitions; ++p)
      for (auto& x : read(on_.work.job.dead_letter(), p)) {
        std::map<std::string, std::string> headers{x.headers.begin(),
                                                   x.headers.end()};
        found.push_back(headers["weir.topic"] + '/' +
                        headers["weir.partition"] + '@' +
                        headers["weir.offset"]);
      }
    auto wanted = wanted_.dead_letters;
    std::sort(wanted.begin(), wanted.end());
    std::sort(found.begin(), found.end());
    // They go through the transaction in both guarantees.
    if (found != wanted)
      complain("dead letters: [{}] where [{}] were to come",
               fmt::join(found, " "), fmt::join(wanted, " "));
  }

  // -- state

  void check_task(int partition) {
    // That of who had it last; another node's may be older.
    auto last = on_.restored_by.find(partition);
    if (last == on_.restored_by.end())
      return complain("task {}: nobody has restored it", partition);
    auto node = last->second;
    task_database_options options;
    options.directory =
        task_directory(on_.settings_of(node), on_.work.job.name(), partition);
    options.delete_retention = changelog_delete_retention;
    options.database.files = on_.disk_of(node).current();
    options.generation = claims_[partition].generation;
    auto database = task_database::open(options, systems_.world);
    if (!database)
      return complain("task {}: {}", partition, to_string(database.error()));
    auto& metadata = (*database)->metadata();
    if (!metadata.closed_cleanly || !metadata.commit ||
        metadata.restoring_since)
      return complain("task {}: its database was not closed cleanly at a "
                      "commit",
                      partition);
    auto& store = (*database)->store();
    check_store(partition, store);
    if (auto same = weir::verify(store, metadata.commit); !same)
      complain("task {}: {}", partition, to_string(same.error()));
    for (auto& input : metadata.commit->inputs) {
      auto count = on_.work.input.at({input.topic, partition}).size();
      if (input.next_offset < static_cast<std::int64_t>(count))
        complain("task {}: position {} in {} of {} records", partition,
                 input.next_offset, input.topic, count);
    }
    compare_changelog(partition, store, *metadata.commit);
  }

  void check_store(int partition, backend& store) {
    task_state state{store};
    std::map<std::string, std::string> found;
    kv_store<std::string, std::string> tallies{
        state.open<std::string, std::string>(1, "tallies")};
    tallies.for_each([&](const std::string& key, const std::string& value) {
      found.emplace(key, value);
    });
    auto& wanted = wanted_.tallies[partition];
    for (auto& [key, value] : wanted)
      if (!found.contains(key) || found[key] != value)
        complain("state {}: {} is '{}', not '{}'", partition, key, found[key],
                 value);
    if (found.size() > wanted.size())
      complain("state {}: {} keys, not {}", partition, found.size(),
               wanted.size());
    if (on_.work.kind != workload_kind::mixed)
      return;
    kv_store<std::string, std::int64_t> beats{
        state.open<std::string, std::int64_t>(2, "beats")};
    check_beats(partition, beats.get("beats").value_or(0));
  }

  /// The timer's outputs are as one with the state that it counts in.
  void check_beats(int partition, std::int64_t count) {
    std::vector<std::string> wanted;
    for (std::int64_t i = 1; i <= count; ++i)
      wanted.push_back(std::to_string(i));
    std::vector<std::string> found;
    for (auto& x : read("beats", partition))
      found.push_back(x.value.value_or(""));
    if (repeats_allowed_) {
      // Beats beyond the last commit are lost from the state, not from there.
      found = without_repeats(found);
      if (found.size() > wanted.size())
        found.resize(wanted.size());
    }
    compare(fmt::format("beats/{}", partition), wanted, found);
  }

  /// None, and a complaint, if one is no commit record.
  std::optional<commit_record> last_commit(const std::vector<seen>& changelog) {
    std::optional<commit_record> out;
    for (auto& x : changelog) {
      if (x.key != commit_key)
        continue;
      auto decoded = decode_commit(*x.value);
      if (!decoded) {
        complain("a changelog: {}", to_string(decoded.error()));
        return std::nullopt;
      }
      // Compaction may have removed what was between.
      bool follows = !out || decoded->previous == checksum(*out);
      if (auto before = out ? out->number : 0;
          decoded->number <= before ||
          (out && follows && decoded->number != before + 1))
        complain("a changelog: commit number {} comes after {}",
                 decoded->number, before);
      out = *decoded;
    }
    return out;
  }

  void compare_changelog(int partition, backend& store,
                         const commit_record& last) {
    std::map<std::string, std::string> replayed;
    auto changelog = read(on_.work.job.changelog(), partition);
    auto commit = last_commit(changelog);
    for (auto& x : changelog) {
      if (x.key == commit_key)
        continue;
      if (x.value) {
        replayed[x.key] = *x.value;
      } else {
        replayed.erase(x.key);
      }
    }
    std::map<std::string, std::string> stored;
    auto scanned = store.scan({"\1", 1}, {}, [&](auto key, auto value) {
      stored.emplace(key, value);
      return true;
    });
    if (!scanned || stored != replayed)
      complain("changelog {}: its replay is not the database ({} and {} keys)",
               partition, replayed.size(), stored.size());
    if (!commit || *commit != last)
      complain("changelog {}: its last commit is not that of the database",
               partition);
  }

  // -- claims

  void check_claims() {
    if (claims_.size() != static_cast<std::size_t>(on_.work.partitions))
      complain("{} claims of {} tasks", claims_.size(), on_.work.partitions);
    for (auto& [partition, claim] : claims_)
      if (!claim.released || !claim.born || claim.epoch == 0)
        complain("claim {}: released {}, born {}, epoch {}", partition,
                 claim.released, claim.born, claim.epoch);
  }

  machine& on_;
  opened_systems systems_;
  expectation wanted_;
  std::map<int, claim_node> claims_;
  bool repeats_allowed_;
  std::vector<std::string> problems_;
};

} // namespace

std::vector<std::string> check(machine& on) {
  auto claims = read_claims(on);
  auto parked = read_parked(on);
  auto systems = open_systems(on);
  if (!systems)
    return {"the checker cannot open the log: " + to_string(systems.error())};
  checker judge{on, std::move(*systems), std::move(claims)};
  auto out = judge.run();
  // H28: removed by whoever is past the record, whatever became of who was.
  for (auto& [p, node] : parked)
    out.push_back(fmt::format("task {} has drained and is still parked", p));
  return out;
}

std::vector<std::string> check_parked(machine& on) {
  auto parked = read_parked(on);
  auto systems = open_systems(on);
  if (!systems)
    return {"the checker cannot open the log: " + to_string(systems.error())};
  checker judge{on, std::move(*systems), {}};
  return judge.check_parked(parked);
}

} // namespace weir::sim
