// A changelog as a vector, a task that writes commits to it, and its state as a
// plain map: what the tests of the durable side compare with.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/bytes/checksum.hpp"
#include "runtime/stream/record_access.hpp"
#include "stores/changelog/commit_record.hpp"
#include "stores/changelog/raw_key.hpp"
#include "stores/database/metadata.hpp"
#include "stores/replay/restore.hpp"

namespace weir::test {

using state_map = std::map<std::string, std::string>;
using changes = std::map<std::string, std::optional<std::string>>;

inline const std::string generation = "00112233445566778899aabbccddeeff";

/// Key of store 1.
inline std::string key(const std::string& name) {
  return "\x01" + name;
}

inline std::uint64_t digest(const state_map& state) {
  std::uint64_t sum = 0;
  for (auto& [k, v] : state)
    sum += entry_hash(k, v);
  return sum;
}

inline void apply(state_map& state, const changes& x) {
  for (auto& [k, v] : x)
    if (v)
      state[k] = *v;
    else
      state.erase(k);
}

/// What is in the stores of a database.
inline state_map contents(backend& from) {
  state_map out;
  auto done = from.scan(state_begin(), state_end(),
                        [&](std::string_view k, std::string_view v) {
                          out.emplace(k, v);
                          return true;
                        });
  if (!done)
    throw std::runtime_error(to_string(done.error()));
  return out;
}

struct stored_record {
  std::int64_t offset = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::optional<std::string> header;
  std::string_view header_name = origin_header;
  bool second_header = false;

  record view() const {
    record out;
    using access = detail::record_access;
    access::set_topic(out, "job-changelog");
    access::set_position(out, 0, offset, 1000 + offset);
    if (key)
      access::set_key(out, *key);
    if (value)
      access::set_value(out, *value);
    access::set_headers(
        out, this, [](const void* native, std::vector<header_view>& to) {
          auto& self = *static_cast<const stored_record*>(native);
          if (self.header)
            to.push_back({self.header_name, *self.header});
          if (self.second_header)
            to.push_back({"x", "y"});
        });
    return out;
  }

  using header_view = weir::header;
};

/// What is visible read committed; offsets may have gaps.
class changelog {
public:
  void add(std::optional<std::string> k, std::optional<std::string> v,
           std::optional<std::string> header) {
    records.push_back({end++, std::move(k), std::move(v), std::move(header),
                       origin_header, false});
  }
  void add(const std::string& k, std::optional<std::string> v,
           const origin& by) {
    add(std::optional{k}, std::move(v), encode(by));
  }
  /// A transaction's marker.
  void marker() { ++end; }

  /// Kafka's cleaner: of the records below `up_to` only the last of each key
  /// stays.
  void compact(std::int64_t up_to) {
    std::set<std::string> later;
    std::vector<stored_record> kept;
    for (auto i = records.rbegin(); i != records.rend(); ++i)
      if (i->offset >= up_to || !i->key || later.insert(*i->key).second)
        kept.push_back(*i);
    records.assign(kept.rbegin(), kept.rend());
  }

  std::vector<stored_record> records;
  std::int64_t low = 0;
  std::int64_t end = 0;
};

/// The one who writes a task's commits.
class owner {
public:
  explicit owner(changelog& to) : log_(to) { claim(); }

  /// A new owner: a higher epoch.
  void claim() {
    ++by_.epoch;
    by_.sequence = 0;
    by_.lane.low = by_.epoch;
  }

  /// A complete commit; answers its record.
  commit_record commit(const changes& x) {
    auto record = send(x);
    apply(state, x);
    finish(record);
    return record;
  }

  /// Only the records, up to `count` of them: a torn transaction.
  commit_record send(const changes& x, std::size_t count = ~std::size_t{0}) {
    ++by_.sequence;
    record_checksum sum;
    for (auto& [k, v] : x) {
      sum.add(k, v);
      if (count == 0)
        continue;
      log_.add(k, v, by_);
      --count;
    }
    commit_record out;
    out.generation = generation;
    out.by = by_;
    out.number = history.size() + 1;
    out.previous = previous_;
    out.record_count = sum.count();
    out.records_checksum = sum.value();
    out.inputs = {
        {"ticks", static_cast<std::int64_t>(by_.sequence) * 10,
         fingerprint{static_cast<std::int64_t>(by_.sequence) * 10 - 1, 5, 6}}};
    auto after = state;
    apply(after, x);
    out.state_digest = digest(after);
    out.wall_clock_ms = now_ms;
    return out;
  }

  void finish(const commit_record& x) {
    log_.add(std::string{commit_key}, encode(x), x.by);
    previous_ = checksum(x);
    history.push_back({x, log_.end, state});
    log_.marker();
  }

  origin by() const { return by_; }

  struct past_commit {
    commit_record record;
    /// After its commit record.
    std::int64_t position;
    state_map state;
  };
  std::vector<past_commit> history;
  state_map state;
  std::int64_t now_ms = 1'000'000'000;

private:
  changelog& log_;
  origin by_{{7, 0}, 0, 0};
  std::uint64_t previous_ = 0;
};

inline restore_options options_for(const changelog& log,
                                   const database_metadata& metadata) {
  restore_options out;
  out.changelog = "job-changelog/0";
  out.generation = generation;
  out.started_ms = 1'000'000'000;
  auto start = restore_start(metadata, {log.low, log.end});
  if (!start)
    throw std::runtime_error(to_string(start.error()));
  out.start = *start;
  return out;
}

/// Reads `log` into `store` as a node would, up to its end.
inline result<restore_summary>
restore(backend& store, const changelog& log,
        std::size_t batch_bytes = 4u << 20,
        const std::function<void()>& before_second_reading = {}) {
  auto metadata = read_metadata(store);
  if (!metadata)
    return fail(metadata.error());
  auto start = restore_start(*metadata, {log.low, log.end});
  if (!start)
    return fail(start.error());
  auto options = options_for(log, *metadata);
  options.batch_bytes = batch_bytes;
  restorer work{store, *metadata, options};
  for (std::size_t i = 0; i < log.records.size(); ++i) {
    if (log.records[i].offset < *start)
      continue;
    auto step = work.feed(log.records[i].view());
    if (!step)
      return fail(step.error());
    if (*step == restore_step::read_again) {
      if (before_second_reading)
        before_second_reading();
      i = static_cast<std::size_t>(-1);
    }
  }
  return work.finish(log.end, options.started_ms + 1);
}

} // namespace weir::test
