// A member of a job inside any program.
//
//   auto node = weir::node::start(word_job, weir::task_of<word_count>(),
//                                 {.data_directory = "state"});
//   node->produce(lines, "to be or not to be");
//   node->drain(std::chrono::seconds{30});
//   auto n = node->get(counts, "be");              // result<optional<int64>>
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/client.hpp"
#include "weir/job.hpp"
#include "weir/messages.hpp"
#include "weir/node_status.hpp"
#include "weir/settings.hpp"
#include "weir/store.hpp"
#include "weir/task.hpp"

namespace weir {

namespace detail {

class hosted_node;

/// A store's key and where it is, without types.
struct raw_query {
  part store;
  std::string key;
};

/// False ends the visit.
using store_visit =
    std::function<bool(int partition, std::string_view key, const void* value)>;

} // namespace detail

/// What of a store is seen.
enum class state_view {
  /// As of the last commit: what a crash leaves.
  committed,
  /// With what the running transaction has changed.
  latest
};

struct query_options {
  state_view view = state_view::committed;
  /// Which task is asked; none = that of the key, or where that is not known
  /// (a `local` store) every task.
  std::optional<int> partition{};
  duration patience{5'000};
};

/// Runs the job's tasks that nobody else has, on threads of its own or on the
/// actor system of the host. Several may be in one process, of the same job
/// too, and in one embedded directory. Touches no signal, umask, working
/// directory or stream of its host, and never ends its process. Thread-safe;
/// every call may block.
class WEIR_EXPORT node : public topics {
public:
  /// Until it is a member of the job; its tasks come after that (`status`).
  /// Errors: `bad_argument` (settings, or the task is not that of the job),
  /// `locked` naming the process that has the directory, `not_found` (a topic),
  /// and whatever else ended it before it had joined.
  static result<node> start(job of, task_factory task, settings how = {});
  /// The same on `host`, which was set up with `configure` and outlives it.
  static result<node> start(caf::actor_system& host, job of, task_factory task,
                            settings how = {});

  node(node&&) noexcept;
  node& operator=(node&&) noexcept;
  /// `stop` and `wait`; what was enqueued is written, if that takes no longer
  /// than two seconds.
  ~node();

  /// Begins an orderly stop: last commit, claims released.
  void stop() noexcept;
  /// Until it has stopped, or `settings::stop_limit` is over: then `left` names
  /// what still runs, which is abandoned (event `node.abandoned`): its threads
  /// and memory stay with the process, its commits do not happen.
  node_report wait();

  /// Until all that was in the inputs at the call is processed and committed,
  /// and what it led to in internal topics.
  /// Errors: `timed_out`, `task_failed` naming a task that is parked,
  /// `elsewhere` (a job with internal topics, some of whose tasks are in other
  /// nodes), `closed`.
  result<void> drain(duration patience);

  node_status status() const;

  /// From the task that owns the key.
  /// Errors: `elsewhere` (that task is not here), `timed_out`, `bad_argument`
  /// (no such store; or the key is in several tasks), `closed`.
  template <class K, class V>
  result<std::optional<detail::type_of<V>>> get(const store<K, V>& of,
                                                std::type_identity_t<K> key,
                                                const query_options& how = {}) {
    detail::raw_query query{detail::describe(of), {}};
    detail::key_order<K>::put(key, query.key);
    std::optional<detail::type_of<V>> out;
    auto done = find(query, how, [&](int, std::string_view, const void* value) {
      out = *static_cast<const detail::type_of<V>*>(value);
      return true;
    });
    if (!done)
      return fail(done.error());
    return out;
  }
  /// All keys of the tasks that are here, or of one of them.
  /// Errors: as `get`; `bad_argument` where several tasks have a key.
  template <class K, class V>
  result<std::map<K, detail::type_of<V>>> all(const store<K, V>& of,
                                              const query_options& how = {}) {
    std::map<K, detail::type_of<V>> out;
    std::optional<error> problem;
    auto done =
        visit(detail::describe(of), how,
              [&](int task, std::string_view bytes, const void* value) {
                K key{};
                bool known = detail::key_order<K>::get(bytes, key);
                if (known &&
                    out.emplace(std::move(key),
                                *static_cast<const detail::type_of<V>*>(value))
                        .second)
                  return true;
                problem = key_problem(of.name, task, known);
                return false;
              });
    if (!done)
      return fail(done.error());
    if (problem)
      return fail(*problem);
    return out;
  }

  /// Who answers for the task of a key: stays good over its restarts; while the
  /// task is not in this process a request is answered with an error.
  /// Errors of a key whose bytes cannot be made: throws what its serde throws.
  template <class K, class V>
  caf::actor task_for(const topic<K, V>&, param<K> key) {
    detail::side_writer<K> bytes;
    return task_of_key(bytes.write(key));
  }
  caf::actor task_at(int partition);
  /// Of each input, and so the tasks of the job.
  int partitions() const;
  /// Spawn here what talks to tasks. Where it is the node's own, what is
  /// spawned has to have ended before the node goes.
  caf::actor_system& system();

private:
  explicit node(std::shared_ptr<detail::hosted_node> x);
  static result<node> start_on(caf::actor_system* host, job of,
                               task_factory task, settings how);

  result<void> find(const detail::raw_query& what, const query_options& how,
                    const detail::store_visit& each);
  result<void> visit(const part& store, const query_options& how,
                     const detail::store_visit& each);
  static error key_problem(std::string_view store, int task, bool known);
  caf::actor task_of_key(const detail::raw_side& key);
  void end() noexcept;

  std::shared_ptr<detail::hosted_node> hosted_;
};

} // namespace weir
