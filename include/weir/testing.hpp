// A whole job in one thread on virtual time, for unit tests.
//
//   weir::testing::driver job{word_job, weir::task_of<word_count>()};
//   job.produce(lines, "to be or not to be");
//   job.run();
//   assert(job.get(counts, "be") == 2);
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caf/duration.hpp>

#include "weir/detail/export.hpp"
#include "weir/event.hpp"
#include "weir/job.hpp"
#include "weir/policies.hpp"
#include "weir/task.hpp"

namespace weir::testing {

namespace detail {

class driver_core;

/// False ends the visit.
using store_visit =
    std::function<bool(int partition, std::string_view key, const void* value)>;

/// Null = with a value.
using answered = std::function<void(const caf::error*)>;
using question = std::function<void(caf::event_based_actor* from,
                                    const caf::actor& task, const answered&)>;

} // namespace detail

/// What a test should show: the job ended, a task is parked, or the test asks
/// for what there is not.
class WEIR_EXPORT driver_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

struct driver_options {
  /// Of every input, and so the number of tasks.
  int partitions = 3;
  /// Decides which of the things that could happen next happens next.
  std::uint64_t seed = 1;
  /// What the wall clock shows at the beginning.
  time_point start{std::chrono::sys_days{std::chrono::year{2020} / 1 / 1}};
  weir::guarantee guarantee = weir::guarantee::exactly_once;
  bad_record_policy on_bad_record = bad_record_policy::fail;
  /// T_c and T_s: what `advance` lets happen.
  std::chrono::milliseconds check_interval{100};
  std::chrono::milliseconds sync_interval{300'000};
  /// The process is killed after so many steps, and started again; 0 = never.
  std::uint64_t crash_after = 0;
  /// Each line of the job's log; none = silent.
  std::function<void(std::string_view)> log{};
};

/// A record that the job passed over, or gave to the dead letters.
struct bad_record {
  /// What the input's topic is called.
  std::string topic;
  position at;
  std::string reason;
};

/// The job's real actors and stores; the log and the disks are in memory, and
/// time passes only where a function below says so. Of use on one thread.
/// Whatever cannot go on throws `driver_error` with the reason.
class WEIR_EXPORT driver {
public:
  /// Throws as well if the task is not that of the job.
  driver(job of, task_factory task, driver_options how = {});
  ~driver();
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;

  // -- feeding: the record is there when the call returns

  template <class K, class V>
  position
  produce(const topic<K, V>& to, param<K> key, param<V> value,
          const emit_options& how = {}) requires(!std::is_same_v<K, none> &&
                                                 !std::is_same_v<V, none>) {
    weir::detail::side_writer<K> keys;
    weir::detail::side_writer<V> values;
    return send(to.name, keys.write(key), values.write(value), how);
  }
  /// Of a topic without keys, or without values.
  template <class V>
  position produce(const topic<none, V>& to, param<V> value,
                   const emit_options& how = {}) {
    weir::detail::side_writer<V> values;
    return send(to.name, {}, values.write(value), how);
  }
  template <class K>
  position produce(const topic<K, none>& to, param<K> key,
                   const emit_options& how = {}) {
    weir::detail::side_writer<K> keys;
    return send(to.name, keys.write(key), {}, how);
  }
  /// A tombstone.
  template <class K, class V>
  position erase(const topic<K, V>& from, param<K> key,
                 const emit_options& how = {}) {
    weir::detail::side_writer<K> keys;
    return send(from.name, keys.write(key), {}, how);
  }
  /// Bytes as they are, such as some that do not decode.
  template <class K, class V>
  position produce_raw(const topic<K, V>& to,
                       std::optional<std::string_view> key,
                       std::optional<std::string_view> value,
                       const emit_options& how = {}) {
    return send(to.name, {key.value_or(""), key.has_value()},
                {value.value_or(""), value.has_value()}, how);
  }

  // -- what happens

  /// Processes and commits until nothing is left, internal topics included.
  void run();
  /// Processes what there is; nothing is committed.
  void process();
  /// Commits what was processed.
  void commit();
  /// Time passes: timers, T_c and T_s in their order.
  void advance(std::chrono::milliseconds time);
  /// kill -9, and a new start: what was not committed is done again.
  void crash();
  /// The same, and the tasks' databases are gone: state comes from the
  /// changelog.
  void lose_disk();

  // -- looking

  /// The value as the task sees it, committed or not. Throws if several tasks
  /// have the key.
  template <class K, class V>
  std::optional<weir::detail::type_of<V>> get(const store<K, V>& of,
                                              std::type_identity_t<K> key) {
    std::string wanted;
    weir::detail::key_order<K>::put(key, wanted);
    std::optional<weir::detail::type_of<V>> out;
    int partition = -1;
    visit(weir::detail::describe(of), [&](int where, std::string_view bytes,
                                          const void* value) {
      if (bytes != wanted)
        return true;
      if (out)
        throw driver_error{
            "store '" + std::string{of.name} + "': the key is in the tasks " +
            std::to_string(partition) + " and " + std::to_string(where)};
      partition = where;
      out = *static_cast<const weir::detail::type_of<V>*>(value);
      return true;
    });
    return out;
  }
  /// All keys of all tasks. Throws if several tasks have one.
  template <class K, class V>
  std::map<K, weir::detail::type_of<V>> all(const store<K, V>& of) {
    std::map<K, weir::detail::type_of<V>> out;
    visit(weir::detail::describe(of), [&](int where, std::string_view bytes,
                                          const void* value) {
      K key{};
      if (!weir::detail::key_order<K>::get(bytes, key))
        throw driver_error{"store '" + std::string{of.name} +
                           "' has a key that does not decode"};
      auto made = out.emplace(
          std::move(key), *static_cast<const weir::detail::type_of<V>*>(value));
      if (!made.second)
        throw driver_error{"store '" + std::string{of.name} + "': task " +
                           std::to_string(where) +
                           " has a key that another task has too"};
      return true;
    });
    return out;
  }
  /// The committed records of a topic, partition after partition.
  template <class K, class V>
  std::vector<event<K, V>> read(const topic<K, V>& of) {
    std::vector<event<K, V>> out;
    for (auto& raw : events(of.name)) {
      auto x = weir::detail::decode_event<K, V>(std::move(raw), of.name);
      if (!x)
        throw driver_error{to_string(x.error())};
      out.push_back(std::move(*x));
    }
    return out;
  }
  /// The newest value of each key: a topic as a table.
  template <class K, class V>
  std::map<value_of<K>, value_of<V>> table(const topic<K, V>& of) {
    std::map<value_of<K>, value_of<V>> out;
    for (auto& x : read(of)) {
      if (x.value)
        out.insert_or_assign(std::move(x.key), std::move(*x.value));
      else
        out.erase(x.key);
    }
    return out;
  }
  /// Sends the task a message of its own (`task::messages`), as
  /// `weir::ask` does on a node. Throws if it answers with an error, or not
  /// without time passing.
  template <class Reply, class Message>
  Reply ask(int partition, Message what) {
    std::optional<Reply> out;
    put(partition, [&](caf::event_based_actor* from, const caf::actor& task,
                       const detail::answered& problem) {
      from->request(task, caf::infinite, std::move(what))
          .then(
              [&out, problem](const Reply& x) {
                out = x;
                problem(nullptr);
              },
              [problem](const caf::error& why) { problem(&why); });
    });
    return std::move(*out);
  }
  /// What was skipped or given to the dead letters, in the order in which that
  /// happened; again where it is done again after a crash.
  std::span<const bad_record> bad() const;
  time_point now() const;
  /// How much has happened so far: for `crash_after`.
  std::uint64_t steps() const;

private:
  position send(std::string_view topic, const weir::detail::raw_side& key,
                const weir::detail::raw_side& value, const emit_options& how);
  std::vector<weir::detail::raw_event> events(std::string_view topic);
  void visit(const part& store, const detail::store_visit& each);
  void put(int partition, const detail::question& ask);

  std::unique_ptr<detail::driver_core> core_;
};

} // namespace weir::testing
