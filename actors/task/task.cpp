#include "weir/task.hpp"

#include "actors/task/task_shell.hpp"

namespace weir {

task::task(const task_setup& setup)
    : caf::event_based_actor(*setup.config), parts_(setup.origin->trial) {
  if (parts_ == nullptr) {
    shell_ = std::make_unique<shell>(*this, *setup.origin);
    parts_ = shell_->core.get();
  }
  place_ = parts_->place();
  if (shell_)
    random_ = random_source{shell_->world.random_bits()};
}

task::~task() = default;

int detail::task_setup_access::partition(const task_setup& x) noexcept {
  return x.trial ? -1 : x.origin->restored->partition;
}

void task::on_assigned(state_origin) {}
void task::on_revoked() {}
result<void> task::on_check() {
  return {};
}
void task::on_sync() {}
void task::on_close() {}
caf::message_handler task::messages() {
  return {};
}

caf::behavior task::make_behavior() {
  auto& core = *shell_->core;
  auto inputs = core.restored().inputs.size();
  for (std::size_t i = 0; i < inputs; ++i)
    shell_->batches.push_back(std::make_unique<record_batch>());
  shell_->watches.resize(inputs);
  core.pulses().add(core.partition(), shell_->pulse);
  shell_->seat = core.turns().join(
      [to = weak_actor{address()}] { to.tell(go_on{}); }, shell_->lane.id());
  core.restored().relay->connect(weak_actor{address()});
  caf::event_based_actor::set_exception_handler(
      [this](std::exception_ptr& problem) -> caf::error {
        shell_->guard([&] { std::rethrow_exception(problem); });
        return caf::none;
      });
  // What nobody handles is answered with an error, and not printed.
  caf::event_based_actor::set_default_handler(caf::drop);
  return shell_->handlers().or_else(messages());
}

void task::on_exit() {
  if (shell_)
    shell_->end(false);
}

void task::reject(std::string_view why) {
  shell_->core->reject(why);
}

const record& task::current() const {
  return shell_->core->current();
}

bool task::at_end() const {
  return shell_->at_end();
}

int task::partition() const noexcept {
  return place_.partition;
}

int task::partitions() const noexcept {
  return place_.partitions;
}

time_point task::now() const {
  return shell_ ? time_point{duration{shell_->wall_clock_ms()}} : time_point{};
}

std::string task::commit_id() const {
  return shell_ ? shell_->core->commit_id() : std::string{};
}

random_source& task::random() noexcept {
  return random_;
}

const std::string& task::job_name() const noexcept {
  return place_.job;
}

timer task::after(std::chrono::milliseconds pause, std::function<void()> fire) {
  return shell_->start_timer(pause, std::chrono::milliseconds{0},
                             std::move(fire));
}

timer task::every(std::chrono::milliseconds period,
                  std::function<void()> fire) {
  return shell_->start_timer(period, period, std::move(fire));
}

void task::cancel(timer x) {
  shell_->timers.erase(static_cast<std::uint64_t>(x));
}

} // namespace weir
