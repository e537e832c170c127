#include "actors/host/hosted_node.hpp"

#include <condition_variable>
#include <exception>
#include <utility>

#include <caf/scoped_actor.hpp>

#include "actors/base/scheduling.hpp"
#include "actors/host/systems.hpp"
#include "actors/task/messages.hpp"
#include "actors/task/task_core.hpp"
#include "actors/task/task_proxy.hpp"
#include "actors/task/task_trial.hpp"
#include "runtime/job/settings.hpp"
#include "stores/kv/store_error.hpp"
#include "weir/messages.hpp"

namespace weir::detail {

namespace {

/// Beyond the node's own limit: it has to be seen that it was over.
constexpr milliseconds stop_margin{2'000};
/// A node that answers does so between two of its steps.
constexpr milliseconds answer_limit{2'000};

/// On nobody's conscience any more. Reachable, so that it is no leak.
void keep_for_ever(std::shared_ptr<void> x) {
  static std::mutex mutex;
  static auto* all = new std::vector<std::shared_ptr<void>>;
  std::lock_guard guard{mutex};
  all->push_back(std::move(x));
}

/// Of an actor that has ended without answering.
template <class T>
result<T> answer_of(std::future<T>& from, duration patience) {
  if (from.wait_for(patience) != std::future_status::ready)
    return fail(ec::timed_out, "no answer within " + format_duration(patience));
  try {
    return from.get();
  } catch (const std::future_error&) {
    return fail(ec::closed, "the node has ended");
  }
}

/// The task goes on: what throws here is a question.
std::optional<error> problem_of(const std::function<void(task_core&)>& look,
                                task_core& core) {
  try {
    look(core);
    return std::nullopt;
  } catch (const store_error& problem) {
    return problem.reason();
  } catch (const std::exception& problem) {
    return error{ec::task_failed, problem.what()};
  }
}

} // namespace

struct hosted_node::parts {
  caf::actor_system_config config;
  /// The node's own.
  std::unique_ptr<caf::actor_system> system;
  outside_systems systems;
  std::shared_ptr<node_context> context;
  caf::actor node;
  /// Told by the node's thread; kept by what tells.
  struct news {
    std::mutex mutex;
    std::condition_variable changed;
    /// 0 = it has not joined yet.
    int partitions = 0;
    bool stopping = false;
    std::optional<node_report> report;

    template <class Change>
    void hear(Change change) {
      std::lock_guard guard{mutex};
      change(*this);
      changed.notify_all();
    }
  };
  std::shared_ptr<news> heard = std::make_shared<news>();
};

hosted_node::hosted_node(weir::job of, task_factory task, settings how,
                         node_hooks hooks, caf::actor_system* host)
    : job_(std::move(of)), factory_(std::move(task)), settings_(std::move(how)),
      hooks_(std::move(hooks)), parts_(std::make_unique<parts>()),
      system_(host) {}

hosted_node::~hosted_node() {
  if (closed_)
    return;
  stop("the node goes");
  wait();
  auto left = close(answer_limit);
  if (!left.empty())
    abandon(left.front());
}

result<void> hosted_node::start() {
  log_scope scope{hooks_.log};
  if (auto valid = settings_.validate(); !valid)
    return valid;
  if (auto valid = job_.check(); !valid)
    return valid;
  auto& my = *parts_;
  if (system_ == nullptr) {
    configure(my.config);
    my.config.set("scheduler.max-threads",
                  scheduler_threads(settings_.threads));
    my.system = std::make_unique<caf::actor_system>(my.config);
    system_ = my.system.get();
  }
  // Before anything is opened, and so left behind.
  if (auto wired = try_task(*system_, job_, factory_); !wired)
    return wired;
  auto systems =
      open_systems(settings_, std::exchange(hooks_.on_too_many_stuck, {}));
  if (!systems)
    return fail(systems.error());
  my.systems = std::move(*systems);
  my.context = std::make_shared<node_context>(
      my.systems, job_, settings_, identify_process(*my.systems.world));
  io_ = std::make_shared<topic_io>(
      my.systems.streams,
      [of = job_](const std::string& declared) { return of.topic(declared); });
  node_options options;
  options.factory = factory_;
  options.on_progress = hooks_.on_progress;
  options.on_idle = [disk = my.systems.run.disk] {
    disk->post("memory.release", release_free_memory);
  };
  options.on_joined = [heard = my.heard](int partitions) {
    heard->hear([&](auto& x) { x.partitions = partitions; });
  };
  options.on_stopping = [heard = my.heard,
                         then = hooks_.on_stopping](const std::string& left) {
    heard->hear([](auto& x) { x.stopping = true; });
    if (then)
      then(left);
  };
  options.on_end = [heard = my.heard](const node_report& report) {
    heard->hear([&](auto& x) { x.report = report; });
  };
  my.node = system_->spawn<node_actor>(my.context, options);
  closed_ = false;
  return {};
}

result<void> hosted_node::wait_joined() {
  auto& heard = *parts_->heard;
  std::unique_lock guard{heard.mutex};
  heard.changed.wait(guard,
                     [&] { return heard.partitions > 0 || heard.report; });
  if (!heard.report || heard.partitions > 0)
    return {};
  return fail(heard.report->cause, heard.report->text);
}

void hosted_node::stop(const std::string& reason) {
  parts_->heard->hear([](auto& x) { x.stopping = true; });
  tell(parts_->node, stop_node{reason});
}

void hosted_node::fail_with(const error& why) {
  parts_->heard->hear([](auto& x) { x.stopping = true; });
  tell(parts_->node, node_failed{why});
}

const node_report& hosted_node::wait() {
  std::lock_guard once{end_mutex_};
  if (std::exchange(waited_, true))
    return report_;
  auto& heard = *parts_->heard;
  {
    std::unique_lock guard{heard.mutex};
    heard.changed.wait(guard, [&] { return heard.stopping || heard.report; });
    // The node keeps to its limit by itself, if its system has a thread for it.
    heard.changed.wait_for(guard, settings_.stop_limit + stop_margin,
                           [&] { return heard.report.has_value(); });
    if (heard.report) {
      report_ = *heard.report;
    } else {
      report_.outcome = node_outcome::failed;
      report_.text = "the node did not stop in time";
      report_.cause = ec::timed_out;
      report_.uncommitted = true;
      report_.left = "the node itself";
    }
  }
  if (hooks_.on_end)
    hooks_.on_end(report_);
  return report_;
}

std::vector<std::string> hosted_node::close(milliseconds patience) {
  log_scope scope{hooks_.log};
  std::lock_guard once{end_mutex_};
  if (std::exchange(closed_, true))
    return {};
  auto& my = *parts_;
  if (io_)
    io_->close(patience);
  if (!report_.left.empty()) {
    closed_ = false;
    return {report_.left};
  }
  {
    std::lock_guard guard{proxies_mutex_};
    for (auto& [partition, proxy] : proxies_)
      end_actor(proxy);
    proxies_.clear();
  }
  my.node = nullptr;
  // Waits for its actors, which have nothing left to do.
  my.system.reset();
  my.context.reset();
  auto left = close_systems(my.systems, patience);
  closed_ = left.empty();
  return left;
}

void hosted_node::abandon(const std::string& left) {
  log_scope scope{hooks_.log};
  log_error("node.abandoned", "left", left, "what",
            "its threads and memory stay with the process");
  keep_for_ever(std::shared_ptr<void>{std::move(parts_)});
}

result<void> hosted_node::look_at(int partition, duration patience,
                                  std::function<void(task_core&)> look) {
  auto task = parts_->context->places.find(partition);
  if (!task)
    return fail(ec::elsewhere,
                "task " + std::to_string(partition) + " is not here now");
  auto problem = std::make_shared<std::optional<error>>();
  caf::scoped_actor self{*system_};
  result<void> out;
  self->request(task, patience,
                visit_task{[look = std::move(look), problem](task_core& core) {
                  *problem = problem_of(look, core);
                }})
      .receive(
          [&] {
            if (*problem)
              out = fail(**problem);
          },
          [&](const caf::error& why) { out = fail(reason_of(why, *system_)); });
  return out;
}

result<void> hosted_node::drain(duration patience) {
  auto answer = std::make_shared<std::promise<std::optional<error>>>();
  auto outcome = answer->get_future();
  auto token = cancel_token::below();
  tell(parts_->node,
       drain_node{[answer = std::move(answer)](const result<void>& how) {
                    answer->set_value(how ? std::nullopt
                                          : std::optional{how.error()});
                  },
                  token});
  auto heard = answer_of(outcome, patience);
  token.cancel();
  if (!heard)
    return fail(heard.error().within("drain"));
  if (*heard)
    return fail(**heard);
  return {};
}

node_status hosted_node::status() const {
  auto answer = std::make_shared<std::promise<node_status>>();
  auto outcome = answer->get_future();
  tell_high(parts_->node,
            ask_status{[answer = std::move(answer)](node_status x) {
              answer->set_value(std::move(x));
            }});
  return answer_of(outcome, answer_limit).value_or(node_status{});
}

caf::actor hosted_node::proxy_of(int partition) {
  std::lock_guard guard{proxies_mutex_};
  auto& out = proxies_[partition];
  if (!out)
    out = system_->spawn<task_proxy>(parts_->context, partition);
  return out;
}

int hosted_node::partitions() const {
  std::lock_guard guard{parts_->heard->mutex};
  return parts_->heard->partitions;
}

} // namespace weir::detail
