// Executors: cancelled jobs, jobs that throw, threads that do not come back.
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>

#include <catch2/catch.hpp>

#include "runtime/base/executor.hpp"
#include "runtime/base/executor_watch.hpp"

using namespace weir;
using namespace std::chrono_literals;

namespace {

/// Holds jobs until it is opened.
class gate {
public:
  void open() {
    {
      std::lock_guard guard{mutex_};
      open_ = true;
    }
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [this] { return open_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// Ready when the job before it has run.
std::future<void> mark(executor& on) {
  auto reached = std::make_shared<std::promise<void>>();
  auto out = reached->get_future();
  on.post("mark", [reached] { reached->set_value(); });
  return out;
}

} // namespace

TEST_CASE("a job whose token is cancelled before it starts is dropped") {
  auto one = make_thread_executor("test", 1);
  gate first;
  bool ran = false;
  auto parent = cancel_token::below();
  auto token = cancel_token::below(parent);
  one->post("first", [&] { first.pass(); });
  one->post({"second", token}, [&] { ran = true; });
  parent.cancel();
  first.open();
  mark(*one).wait();
  CHECK_FALSE(ran);
  CHECK(token.cancelled());
}

TEST_CASE("a running job sees that it was cancelled, the next one does not") {
  auto one = make_thread_executor("test", 1);
  gate cancelled;
  auto token = cancel_token::below();
  bool before = true, after = false, other = true;
  one->post({"looks", token}, [&] {
    before = job_cancelled();
    token.cancel();
    after = job_cancelled();
  });
  one->post("other", [&] { other = job_cancelled(); });
  mark(*one).wait();
  CHECK_FALSE(before);
  CHECK(after);
  CHECK_FALSE(other);
  CHECK_FALSE(job_cancelled());
}

TEST_CASE("what a job throws does not end its thread") {
  auto one = make_thread_executor("test", 1);
  one->post("throws", [] { throw std::runtime_error{"no"}; });
  one->post("throws", [] { throw 7; });
  mark(*one).wait();
}

TEST_CASE("a thread that does not come back is replaced, then too many are") {
  std::promise<std::string> too_many;
  auto watch = std::make_shared<executor_watch>(
      2, [&](const std::string& job) { too_many.set_value(job); }, 1ms);
  gate never;
  auto one = make_thread_executor("test", 1, watch);
  for (auto* name : {"first", "second"})
    one->post({name, 1ms}, [&] { never.pass(); });
  // Runs only on a thread that replaced both; they are counted after that.
  mark(*one).wait();
  while (watch->written_off() < 2)
    std::this_thread::yield();
  CHECK(watch->written_off() == 2);
  one->post({"third", 1ms}, [&] { never.pass(); });
  CHECK(too_many.get_future().get() == "third");
  mark(*one).wait();
  never.open();
  one->stop();
}

TEST_CASE("a stop that may not wait names what is left") {
  auto back = std::make_shared<gate>();
  auto started = std::make_shared<gate>();
  auto one = make_thread_executor("test", 1);
  one->post("hangs", [back, started] {
    started->open();
    back->pass();
  });
  one->post("waits", [] {});
  started->pass();
  CHECK(one->stop_within(1ms) == std::vector<std::string>{"hangs", "waits"});
  back->open();
}

TEST_CASE("a stop waits for what was taken and takes no more") {
  auto two = make_thread_executor("test", 2);
  std::atomic<int> ran{0};
  for (int i = 0; i < 100; ++i)
    two->post("counts", [&] { ++ran; });
  CHECK(two->stop_within(600s) == std::vector<std::string>{});
  CHECK(ran == 100);
  two->post("late", [&] { ++ran; });
  CHECK(ran == 100);
}
