// Whether a task's parts are those of its job, before anything runs.
#include <catch2/catch.hpp>

#include "actors/task/task_trial.hpp"

using namespace weir;

namespace {

constexpr input<std::string, std::string> lines{"lines"};
constexpr input<std::string, std::string> more{"more"};
constexpr store<std::string, std::int64_t> counts{"counts"};
constexpr store<std::string, std::string> texts{"counts"};
constexpr output<std::string, std::string> totals{"totals"};

class counter : public task {
public:
  explicit counter(const task_setup& setup) : task(setup) {
    on(lines, [](std::string_view, std::string_view) {});
  }

protected:
  use<counts> counts_{this};
  use<totals> totals_{this};
};

/// Does in its constructor what it is told to.
class eager : public counter {
public:
  eager(const task_setup& setup, std::function<void(eager&)> what)
      : counter(setup) {
    what(*this);
  }
  using counter::counts_;
  using counter::totals_;
};

std::string problems(const job& of, const task_factory& make) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto done = try_task(system, of, make);
  if (done)
    return {};
  CHECK(done.error().code() == ec::bad_argument);
  return done.error().text();
}

const job whole{"j", lines, counts, totals};

} // namespace

TEST_CASE("a task with the parts of its job is as it should be", "[trial]") {
  CHECK(problems(whole, task_of<counter>()).empty());
}

TEST_CASE("every part that is not the job's is named", "[trial]") {
  CHECK(problems(job{"j", lines, totals}, task_of<counter>()) ==
        "the task uses store 'counts', which job 'j' does not list: "
        "weir::job{\"j\", ..., counts}");
  CHECK(problems(job{"j", lines, more, counts, totals}, task_of<counter>()) ==
        "job 'j' lists 'more', but the task has no handler for it: on(more, "
        "...) in its constructor");
  CHECK(problems(job{"j", lines, texts, totals}, task_of<counter>()) ==
        "the task uses store 'counts' as <text, i64>, job 'j' lists it as "
        "<text, text>: use the definition that the job lists; job 'j' lists "
        "store 'counts', but the task does not use it: weir::use<counts> as a "
        "member");
  // All at once.
  auto text = problems(job{"j", more}, task_of<counter>());
  for (auto each : {"'lines'", "'counts'", "'totals'", "'more'"})
    CHECK(text.find(each) != text.npos);
}

TEST_CASE("a constructor only wires", "[trial]") {
  auto tried = [](std::function<void(eager&)> what) {
    return problems(whole, task_of<eager>(what));
  };
  CHECK(tried([](eager&) {}).empty());
  CHECK(tried([](eager& x) {
          x.totals_.emit("a", "b");
        }).find("on_assigned is the place") != std::string::npos);
  for (auto& use :
       {std::function<void(eager&)>{[](eager& x) { x.counts_.find("a"); }},
        std::function<void(eager&)>{[](eager& x) { x.counts_.put("a", 1); }},
        std::function<void(eager&)>{[](eager& x) { ++x.counts_["a"]; }},
        std::function<void(eager&)>{
            [](eager& x) { x.counts_.for_each([](auto&, auto&) {}); }}})
    CHECK(tried(use).find("on_assigned is the place") != std::string::npos);
  CHECK(tried([](eager&) { throw std::runtime_error{"no licence"}; }) ==
        "the task's constructor threw: no licence");
  CHECK(tried([](eager&) { throw 7; }) ==
        "the task's constructor threw: something that is no std::exception");
}
