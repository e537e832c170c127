#include "actors/task/task_trial.hpp"

#include <exception>
#include <optional>

#include "actors/task/task_origin.hpp"
#include "actors/task/wiring.hpp"
#include "stores/kv/closed_store.hpp"
#include "stores/kv/store_error.hpp"

namespace weir {

namespace {

class trial final : public detail::task_parts {
public:
  explicit trial(const job& of) : wiring_(of) {}

  detail::store_core& open_store(const part& what) override {
    note(wiring_.open(what));
    return stores_.open(what.name, *what.store);
  }
  int open_topic(const part& what) override {
    note(wiring_.open(what));
    return 0;
  }
  void handle(const part& what, std::unique_ptr<detail::handler>) override {
    note(wiring_.handle(what));
  }
  void wired() override {
    for (auto& each : wiring_.missing())
      add(each);
  }
  void emit(int, const detail::raw_side&, const detail::raw_side&,
            const emit_options&) override {
    throw store_error{ec::bad_argument,
                      "a task's constructor emits: on_assigned is the place"};
  }
  const detail::task_place& place() const noexcept override { return place_; }

  void threw(const char* what) {
    add(std::string{"the task's constructor threw: "} + what);
  }
  const std::string& problems() const noexcept { return problems_; }

private:
  void note(const std::optional<std::string>& problem) {
    if (problem)
      add(*problem);
  }
  void add(const std::string& problem) {
    problems_ += (problems_.empty() ? "" : "; ") + problem;
  }

  wiring wiring_;
  detail::closed_stores stores_;
  detail::task_place place_;
  std::string problems_;
};

} // namespace

result<void> try_task(caf::actor_system& system, const job& of,
                      const task_factory& make) {
  trial parts{of};
  detail::task_origin origin;
  origin.trial = &parts;
  try {
    make(system, detail::task_setup_access::trial(origin));
  } catch (const std::exception& why) {
    parts.threw(why.what());
  } catch (...) {
    parts.threw("something that is no std::exception");
  }
  if (parts.problems().empty())
    return {};
  return fail(ec::bad_argument, parts.problems());
}

} // namespace weir
