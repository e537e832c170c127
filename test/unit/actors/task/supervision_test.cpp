// H31: who hears of an exception, and who ends with whom.
#include <catch2/catch.hpp>

#include <caf/scheduler/test_coordinator.hpp>

#include "actors/base/caf.hpp"
#include "test/manual_executor.hpp"

using namespace weir;

namespace {

struct heard {
  std::vector<std::string> deaths;
  int ended = 0;
};

class child final : public stepping_actor {
public:
  child(caf::actor_config& config, heard& to, executor& jobs)
      : stepping_actor(config), to_(to), jobs_(jobs) {}

protected:
  caf::behavior make_behavior() override {
    return {
        [](const continuation& step) { step.run(); },
        [this](int) {
          run_on(
              jobs_, "job",
              []() -> int { throw std::runtime_error{"thrown by a job"}; },
              [](int&) {});
        },
        [](double) { throw std::runtime_error{"thrown by a handler"}; },
        [](char) { throw 7; },
        [this](bool) { quit(); },
    };
  }
  void on_exit() override { ++to_.ended; }

private:
  heard& to_;
  executor& jobs_;
};

class parent final : public stepping_actor {
public:
  parent(caf::actor_config& config, heard& to, caf::actor of)
      : stepping_actor(config) {
    adopt(of, [&to](const std::string& why) { to.deaths.push_back(why); });
  }

protected:
  caf::behavior make_behavior() override {
    return {
        [](const continuation& step) { step.run(); },
        [](double) { throw std::runtime_error{"thrown by the parent"}; },
    };
  }
};

struct family {
  caf::actor_system_config config;
  heard seen;
  test::manual_executor jobs;
  std::unique_ptr<caf::actor_system> system;
  caf::scheduler::test_coordinator* scheduler = nullptr;
  caf::actor young;
  caf::actor old;

  family() {
    config.set("scheduler.policy", caf::atom("testing"));
    system = std::make_unique<caf::actor_system>(config);
    scheduler =
        dynamic_cast<caf::scheduler::test_coordinator*>(&system->scheduler());
    young = system->spawn<child>(seen, jobs);
    old = system->spawn<parent>(seen, young);
    scheduler->run();
  }
  ~family() {
    end_actor(young);
    end_actor(old);
    scheduler->run();
  }
};

} // namespace

TEST_CASE_METHOD(family, "H31: a parent hears what a handler threw") {
  tell(young, 1.0);
  scheduler->run();
  CHECK(seen.deaths == std::vector<std::string>{"thrown by a handler"});
  CHECK(seen.ended == 1);
}

TEST_CASE_METHOD(family, "H31: what a job throws is thrown in who posted it") {
  tell(young, 1);
  scheduler->run();
  CHECK(seen.deaths.empty());
  jobs.run();
  scheduler->run();
  CHECK(seen.deaths == std::vector<std::string>{"thrown by a job"});
}

TEST_CASE_METHOD(family, "H31: what is thrown need not be an exception") {
  tell(young, 'x');
  scheduler->run();
  CHECK(seen.deaths ==
        std::vector<std::string>{"something that is no std::exception"});
}

TEST_CASE_METHOD(family, "H31: an end in order is no death") {
  tell(young, true);
  scheduler->run();
  CHECK(seen.ended == 1);
  CHECK(seen.deaths.empty());
}

TEST_CASE_METHOD(family, "H31: a child ends with its parent") {
  tell(old, 1.0);
  scheduler->run();
  CHECK(seen.ended == 1);
}
