#include "runtime/embedded/coordination/session_queue.hpp"

#include <utility>

#include "runtime/base/assert.hpp"

namespace weir {

session_queue::session_queue(std::shared_ptr<executor> runner)
    : runner_(std::move(runner)), gate_(std::make_shared<gate>()) {
  WEIR_ASSERT(runner_ != nullptr, "callbacks need an executor");
  gate_->queue = this;
}

session_queue::~session_queue() {
  std::lock_guard guard{gate_->mutex};
  gate_->queue = nullptr;
}

void session_queue::post_request(lane of, job run, job instead) {
  post(requests_, {std::move(of), std::move(run), std::move(instead)});
}

void session_queue::post_delivery(lane of, job run, job instead) {
  post(deliveries_, {std::move(of), std::move(run), std::move(instead)});
}

void session_queue::post(std::deque<entry>& to, entry x) {
  std::lock_guard guard{mutex_};
  if (x.of->finished)
    return;
  bool runs = !x.of->closing;
  to.push_back(std::move(x));
  if (runs)
    schedule();
}

bool session_queue::hears(const lane& of) {
  std::lock_guard guard{mutex_};
  auto here = std::this_thread::get_id();
  return !of->closing || of->closer == here ||
         (running_ == of.get() && runner_thread_ == here);
}

void session_queue::schedule() {
  if (std::exchange(scheduled_, true))
    return;
  runner_->post("coordination", [gate = gate_] {
    std::lock_guard guard{gate->mutex};
    if (gate->queue != nullptr)
      gate->queue->step();
  });
}

template <class Wanted>
session_queue::entry session_queue::take(Wanted wanted) {
  for (auto* from : {&deliveries_, &requests_})
    for (auto i = from->begin(); i != from->end(); ++i)
      if (wanted(*i)) {
        auto out = std::move(*i);
        from->erase(i);
        return out;
      }
  return {};
}

void session_queue::step() {
  std::unique_lock guard{mutex_};
  auto runnable = [](const entry& x) { return !x.of->closing; };
  auto next = take(runnable);
  if (next.of) {
    running_ = next.of.get();
    runner_thread_ = std::this_thread::get_id();
    guard.unlock();
    next.run();
    // What a job holds is let go of while it still counts as running.
    next.run = nullptr;
    next.instead = nullptr;
    guard.lock();
    running_ = nullptr;
    idle_.notify_all();
  }
  scheduled_ = false;
  for (auto* each : {&deliveries_, &requests_})
    for (auto& waiting : *each)
      if (runnable(waiting)) {
        schedule();
        return;
      }
}

void session_queue::close(const lane& of) {
  std::unique_lock guard{mutex_};
  WEIR_ASSERT(running_ != of.get() ||
                  runner_thread_ != std::this_thread::get_id(),
              "a coordination session is not closed in its own callback");
  of->closing = true;
  of->closer = std::this_thread::get_id();
  idle_.wait(guard, [&] { return running_ != of.get(); });
  for (;;) {
    auto next = take([&](const entry& x) { return x.of == of; });
    if (!next.of)
      break;
    guard.unlock();
    if (next.instead)
      next.instead();
    next = {};
    guard.lock();
  }
  of->finished = true;
}

} // namespace weir
