#include "weir/node.hpp"

#include "actors/base/scheduling.hpp"
#include "actors/host/hosted_node.hpp"
#include "actors/task/key_partition.hpp"
#include "actors/task/task_core.hpp"
#include "runtime/stream/partitioner.hpp"

namespace weir {

namespace {

constexpr duration close_patience{2'000};

node_log log_of(const settings& how) {
  std::function<void(const log_event&)> to = how.log;
  return std::make_shared<const log_sink>(
      [to](log_level level, std::string_view event, std::string_view text) {
        if (to)
          to(log_event{level, event, text});
      });
}

/// A value in raw memory.
class value_holder {
public:
  explicit value_holder(const detail::value_ops& ops)
      : ops_(ops), at_(::operator new (ops.size, std::align_val_t{ops.align})) {
    ops_.construct(at_);
  }
  value_holder(const detail::value_ops& ops, const void* from)
      : value_holder(ops) {
    ops_.assign(at_, from);
  }
  ~value_holder() {
    ops_.destroy(at_);
    ::operator delete (at_, std::align_val_t{ops_.align});
  }
  value_holder(const value_holder&) = delete;
  value_holder& operator=(const value_holder&) = delete;
  void* get() noexcept { return at_; }

private:
  const detail::value_ops& ops_;
  void* at_;
};

/// What is seen in a task, to be looked at outside of it: a visit that comes
/// too late must not touch what its caller has let go of.
struct copied_entries {
  const detail::value_ops& ops;
  std::vector<std::pair<std::string, std::unique_ptr<value_holder>>> all;

  static bool add(void* to, std::string_view key, const void* value) {
    auto& self = *static_cast<copied_entries*>(to);
    self.all.emplace_back(key, std::make_unique<value_holder>(self.ops, value));
    return true;
  }
};

} // namespace

void configure(caf::actor_system_config& host) {
  host.set("scheduler.policy", caf::atom("sharing"));
  host.set("scheduler.max-throughput", scheduler_throughput);
}

error detail::reason_of(const caf::error& why, caf::actor_system& of) {
  if (why.category() == caf::atom("weir")) {
    auto& context = why.context();
    return {static_cast<ec>(why.code()),
            context.match_elements<std::string>()
                ? context.get_as<std::string>(0)
                : std::string{"no reason is given"}};
  }
  if (why == caf::sec::request_timeout)
    return {ec::timed_out, "no answer in time"};
  if (why == caf::sec::unexpected_message)
    return {ec::task_failed, "it has no handler for this message"};
  if (why == caf::sec::request_receiver_down)
    return {ec::elsewhere, "it has ended"};
  return {ec::task_failed, of.render(why)};
}

node::node(std::shared_ptr<detail::hosted_node> x)
    : topics(x->io()), hosted_(std::move(x)) {}

node::node(node&&) noexcept = default;
node& node::operator=(node&& x) noexcept {
  if (this != &x) {
    end();
    topics::operator=(std::move(x));
    hosted_ = std::move(x.hosted_);
  }
  return *this;
}

node::~node() {
  end();
}

void node::end() noexcept {
  hosted_.reset();
}

result<node> node::start(job of, task_factory task, settings how) {
  return start_on(nullptr, std::move(of), std::move(task), std::move(how));
}

result<node> node::start(caf::actor_system& host, job of, task_factory task,
                         settings how) {
  return start_on(&host, std::move(of), std::move(task), std::move(how));
}

result<node> node::start_on(caf::actor_system* host, job of, task_factory task,
                            settings how) {
  // Told of before there is a node: none of its threads knows it then.
  auto self = std::make_shared<std::weak_ptr<detail::hosted_node>>();
  detail::node_hooks hooks;
  hooks.log = log_of(how);
  hooks.on_too_many_stuck = [self](const std::string& job) {
    if (auto node = self->lock())
      node->fail_with({ec::timed_out, "too many calls do not come back, the "
                                      "last of them: " +
                                          job});
  };
  auto made = std::make_shared<detail::hosted_node>(
      std::move(of), std::move(task), std::move(how), std::move(hooks), host);
  *self = made;
  if (auto started = made->start(); !started)
    return fail(started.error());
  if (auto joined = made->wait_joined(); !joined)
    return fail(joined.error());
  return node{std::move(made)};
}

void node::stop() noexcept {
  hosted_->stop("the host asks for it");
}

node_report node::wait() {
  return hosted_->wait();
}

result<void> node::drain(duration patience) {
  if (auto flushed = flush(patience); !flushed)
    return flushed;
  return hosted_->drain(patience);
}

node_status node::status() const {
  return hosted_->status();
}

int node::partitions() const {
  return hosted_->partitions();
}

caf::actor_system& node::system() {
  return hosted_->system();
}

caf::actor node::task_at(int partition) {
  return hosted_->proxy_of(partition);
}

caf::actor node::task_of_key(const detail::raw_side& key) {
  return task_at(key.there ? partition_of(key.bytes, partitions()) : 0);
}

result<void> node::find(const detail::raw_query& what, const query_options& how,
                        const detail::store_visit& each) {
  auto& job = hosted_->description();
  if (job.find(role::store, what.store.name) == nullptr)
    return fail(ec::bad_argument, "job '" + job.name() + "' has no store '" +
                                      std::string{what.store.name} + "'");
  std::vector<int> tasks;
  auto owner = how.partition;
  if (!owner)
    owner = key_partition{job, what.store}.of(what.key, partitions());
  if (owner)
    tasks.push_back(*owner);
  else
    for (int p = 0; p < partitions(); ++p)
      tasks.push_back(p);
  int found_in = -1;
  for (auto p : tasks) {
    auto value = std::make_shared<value_holder>(*what.store.store->ops);
    auto found = std::make_shared<bool>(false);
    auto done =
        hosted_->look_at(p, how.patience,
                         [store = what.store, key = what.key, value, found,
                          view = how.view](task_core& task) {
                           auto& in = task.open_store(store);
                           if (view == state_view::committed) {
                             *found = detail::committed(in, key, value->get());
                           } else if (auto* now = detail::find(in, key)) {
                             store.store->ops->assign(value->get(), now);
                             *found = true;
                           }
                         });
    if (!done)
      return done;
    if (!*found)
      continue;
    if (found_in >= 0)
      return fail(ec::bad_argument,
                  "store '" + std::string{what.store.name} +
                      "': the key is in the tasks " + std::to_string(found_in) +
                      " and " + std::to_string(p) + "; name one of them");
    found_in = p;
    each(p, what.key, value->get());
  }
  return {};
}

result<void> node::visit(const part& store, const query_options& how,
                         const detail::store_visit& each) {
  auto& job = hosted_->description();
  if (job.find(role::store, store.name) == nullptr)
    return fail(ec::bad_argument, "job '" + job.name() + "' has no store '" +
                                      std::string{store.name} + "'");
  for (int p = 0; p < partitions(); ++p) {
    if (how.partition && *how.partition != p)
      continue;
    auto seen =
        std::make_shared<copied_entries>(copied_entries{*store.store->ops, {}});
    auto done = hosted_->look_at(
        p, how.patience, [store, view = how.view, seen](task_core& task) {
          auto& in = task.open_store(store);
          if (view == state_view::committed)
            detail::scan_committed(in, seen.get(), copied_entries::add);
          else
            detail::scan(in, {}, std::nullopt, seen.get(), copied_entries::add);
        });
    if (!done && done.error().code() == ec::elsewhere && !how.partition)
      continue;
    if (!done)
      return done;
    for (auto& [key, value] : seen->all)
      if (!each(p, key, value->get()))
        return {};
  }
  return {};
}

error node::key_problem(std::string_view store, int task, bool known) {
  return {known ? ec::bad_argument : ec::bad_format,
          "store '" + std::string{store} + "', task " + std::to_string(task) +
              (known ? ": it has a key that another task has too; ask one of "
                       "them by query_options::partition"
                     : ": a key does not decode")};
}

} // namespace weir
