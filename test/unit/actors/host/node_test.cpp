// weir::node inside a program: this one.
#include "weir/node.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "test/temporary_directory.hpp"
#include "test/unit/driver/words.hpp"

struct nobodys {};
WEIR_MESSAGE(nobodys)

namespace {

using namespace std::chrono_literals;
using namespace words_test;
using weir::ec;
using weir::node;
using weir::test::temporary_directory;

weir::settings in(const temporary_directory& where) {
  weir::settings out;
  out.data_directory = where.path();
  out.create_inputs = 3;
  out.check_interval = 20ms;
  return out;
}

template <class T>
T must(weir::result<T> x) {
  if (!x)
    FAIL(to_string(x.error()));
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

template <class Task = word_count>
node started(const weir::settings& how) {
  return must(node::start(word_job, weir::task_of<Task>(), how));
}

std::size_t entries_of(const char* directory) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator{directory}, {}));
}

} // namespace

TEST_CASE("a node counts what its program produces") {
  temporary_directory where;
  auto words_node = started(in(where));
  CHECK(words_node.partitions() == 3);
  auto at = must(words_node.produce(lines, "to be or not to be"));
  CHECK(at.offset == 0);
  must(words_node.enqueue(lines, "let it be"));
  must(words_node.drain(20s));
  CHECK(must(words_node.get(counts, "be")) == 3);
  CHECK(must(words_node.get(counts, "or")) == 1);
  CHECK_FALSE(must(words_node.get(counts, "nothing")));
  CHECK(
      must(words_node.all(counts)) ==
      std::map<std::string, std::int64_t>{
          {"be", 3}, {"it", 1}, {"let", 1}, {"not", 1}, {"or", 1}, {"to", 2}});
  std::map<std::string, std::int64_t> read;
  for (auto& x : must(words_node.consume(totals).rest()))
    read[x.key] = *x.value;
  CHECK(read == must(words_node.all(counts)));
  auto status = words_node.status();
  CHECK(status.ready);
  REQUIRE(status.tasks.size() == 3);
  CHECK(status.tasks[1].phase == weir::task_phase::running);
  words_node.stop();
  auto end = words_node.wait();
  CHECK(end.outcome == weir::node_outcome::stopped);
  CHECK(end.records == 11);
  CHECK_FALSE(end.uncommitted);
  CHECK(words_node.drain(1s).error().code() == ec::closed);
}

TEST_CASE("a node goes on where it was") {
  temporary_directory where;
  {
    auto first = started(in(where));
    must(first.produce(lines, "one two"));
    must(first.drain(20s));
  }
  auto again = started(in(where));
  must(again.produce(lines, "two"));
  must(again.drain(20s));
  CHECK(must(again.get(counts, "two")) == 2);
}

TEST_CASE("a reader waits for what comes") {
  temporary_directory where;
  auto words_node = started(in(where));
  auto reader = words_node.consume(totals);
  CHECK_FALSE(must(reader.next(1ms)));
  must(words_node.produce(lines, "word"));
  auto got = must(reader.next(20s));
  REQUIRE(got);
  CHECK(got->key == "word");
  CHECK(got->value == 1);
}

TEST_CASE("a hop's records are committed long before T_c") {
  temporary_directory where;
  auto how = in(where);
  how.check_interval = 600s;
  auto words_node = started(how);
  auto reader = words_node.consume(words);
  must(words_node.produce(lines, "word"));
  CHECK(must(reader.next(60s)));
}

TEST_CASE("tasks are asked from any thread") {
  temporary_directory where;
  auto words_node = started<answering>(in(where));
  must(words_node.produce(lines, "a b a"));
  must(words_node.drain(20s));
  auto task = words_node.task_for(words, "a");
  CHECK(must(weir::ask<std::int64_t>(task, how_often{"a"}, 10s)) == 2);
  auto thrown = weir::ask<std::int64_t>(task, how_often{"throw"}, 10s);
  CHECK(thrown.error().code() == ec::task_failed);
  CHECK(thrown.error().text().find("told to throw") != std::string::npos);
  // Its next incarnation answers behind the same handle.
  for (;;) {
    auto again = weir::ask<std::int64_t>(task, how_often{"a"}, 10s);
    if (again) {
      CHECK(*again == 2);
      break;
    }
    REQUIRE(again.error().code() == ec::elsewhere);
  }
  auto unknown = weir::ask<std::int64_t>(task, nobodys{}, 10s);
  CHECK(unknown.error().code() == ec::task_failed);
  CHECK(weir::ask<std::int64_t>(words_node.task_at(99), how_often{"a"}, 10s)
            .error()
            .code() == ec::elsewhere);
}

TEST_CASE("drain says which task is parked") {
  temporary_directory where;
  auto words_node = started(in(where));
  must(words_node.produce(lines, "good", {.partition = 0}));
  must(words_node.produce(lines, "bad", {.partition = 1}));
  auto drained = words_node.drain(20s);
  REQUIRE_FALSE(drained);
  CHECK(drained.error().code() == ec::task_failed);
  CHECK(drained.error().text().find("task 1 is parked") != std::string::npos);
  CHECK(words_node.status().tasks[1].phase == weir::task_phase::parked);
  CHECK(must(words_node.get(counts, "good")) == 1);
}

TEST_CASE("a node on the actor system of its host") {
  temporary_directory where;
  caf::actor_system_config config;
  weir::configure(config);
  caf::actor_system system{config};
  auto words_node = must(
      node::start(system, word_job, weir::task_of<word_count>(), in(where)));
  CHECK(&words_node.system() == &system);
  must(words_node.produce(lines, "word"));
  must(words_node.drain(20s));
  CHECK(must(words_node.get(counts, "word")) == 1);
}

TEST_CASE("what does not fit is said at the start") {
  temporary_directory where;
  auto other = node::start(weir::job{"words", lines, words, counts},
                           weir::task_of<word_count>(), in(where));
  REQUIRE_FALSE(other);
  CHECK(other.error().code() == ec::bad_argument);
  CHECK(other.error().text().find("totals") != std::string::npos);
  auto wrong = in(where);
  wrong.sync_interval = 1ms;
  auto refused = node::start(word_job, weir::task_of<word_count>(), wrong);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ec::bad_argument);
}

TEST_CASE("each node has its own log") {
  temporary_directory first, second;
  std::mutex mutex;
  std::set<std::string> of_first, of_second;
  auto into = [&](std::set<std::string>& to) {
    return [&](const weir::log_event& x) {
      std::lock_guard guard{mutex};
      to.insert(std::string{x.event} + " " + std::string{x.text});
    };
  };
  auto how = in(first);
  how.log = into(of_first);
  auto with_log = started(how);
  how = in(second);
  how.log = into(of_second);
  auto other = must(node::start(weir::job{word_job}.rename("others"),
                                weir::task_of<word_count>(), how));
  must(with_log.drain(20s));
  must(other.drain(20s));
  std::lock_guard guard{mutex};
  auto mentions = [](const std::set<std::string>& in, const char* text) {
    return std::any_of(in.begin(), in.end(), [&](auto& x) {
      return x.find(text) != std::string::npos;
    });
  };
  CHECK(mentions(of_first, "job=words "));
  CHECK(mentions(of_second, "job=others "));
  CHECK_FALSE(mentions(of_first, "others"));
  CHECK_FALSE(mentions(of_second, "job=words "));
}

namespace {

inline constexpr weir::input<std::string, std::int64_t> sums{"totals"};
inline constexpr weir::store<std::string, std::int64_t> highest{"highest"};
inline const weir::job highest_job{"highest", sums, highest};

class keep_highest : public weir::task {
public:
  explicit keep_highest(const weir::task_setup& setup) : task(setup) {
    on(sums, [this](std::string_view word, std::int64_t n) {
      highest_.put(word, n);
    });
  }

private:
  weir::use<highest> highest_{this};
};

} // namespace

TEST_CASE("two jobs of one program in one directory") {
  temporary_directory where;
  auto writer = started(in(where));
  auto reader =
      must(node::start(highest_job, weir::task_of<keep_highest>(), in(where)));
  for (int i = 0; i < 100; ++i)
    must(writer.enqueue(lines, "one two two"));
  must(writer.drain(30s));
  must(reader.drain(30s));
  CHECK(must(reader.get(highest, "two")) == 200);
  CHECK(must(reader.get(highest, "one")) == 100);
  // The other goes on when one is gone.
  writer.stop();
  writer.wait();
  CHECK(must(reader.get(highest, "two")) == 200);
}

TEST_CASE("a task whose owner is another node of the process is left to it") {
  temporary_directory where;
  auto first = started(in(where));
  must(first.drain(20s));
  auto second = started(in(where));
  must(first.produce(lines, "a b c"));
  must(first.drain(20s));
  CHECK(must(first.get(counts, "a")) == 1);
  auto status = second.status();
  for (auto& task : status.tasks) {
    CHECK(task.phase == weir::task_phase::waiting);
    CHECK(task.reason.find("held by") != std::string::npos);
  }
  CHECK(second.get(counts, "a").error().code() == ec::elsewhere);
  first.stop();
  first.wait();
  must(second.produce(lines, "a"));
  must(second.drain(30s));
  CHECK(must(second.get(counts, "a")) == 2);
}

TEST_CASE("a host's process stays as it was, however often a node runs") {
  temporary_directory where;
  auto mask = ::umask(022);
  auto directory = std::filesystem::current_path();
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  struct sigaction interrupt {};
  ::sigaction(SIGINT, nullptr, &interrupt);
  std::size_t files = 0, threads = 0;
  for (int i = 0; i < 50; ++i) {
    {
      auto words_node = started(in(where));
      for (int line = 0; line < 50; ++line)
        must(words_node.enqueue(lines, "round and round"));
      if (i % 2 == 0)
        must(words_node.drain(20s));
    }
    // What the libraries keep is there after the first few.
    if (i == 5) {
      files = entries_of("/proc/self/fd");
      threads = entries_of("/proc/self/task");
    }
  }
  CHECK(entries_of("/proc/self/fd") == files);
  CHECK(entries_of("/proc/self/task") == threads);
  CHECK(::umask(mask) == 022);
  CHECK(std::filesystem::current_path() == directory);
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal : {SIGINT, SIGTERM, SIGPIPE, SIGUSR2})
    CHECK(sigismember(&before, signal) == sigismember(&after, signal));
  struct sigaction now {};
  ::sigaction(SIGINT, nullptr, &now);
  CHECK(now.sa_handler == interrupt.sa_handler);
  auto words_node = started(in(where));
  must(words_node.drain(20s));
  CHECK(must(words_node.get(counts, "round")) == 50 * 50 * 2);
}

namespace {

/// Never gone: the task waits for it to the end of the process.
auto& entered = *new std::promise<void>;
auto& let_go = *new std::promise<void>;

class stuck : public weir::task {
public:
  explicit stuck(const weir::task_setup& setup) : task(setup) {
    on(lines, [](const std::string&) {
      entered.set_value();
      let_go.get_future().wait();
    });
    on(words, [](std::string_view) {});
  }

private:
  weir::use<words> words_{this};
  weir::use<counts> counts_{this};
  weir::use<totals> totals_{this};
};

} // namespace

TEST_CASE("a handler that never returns does not keep the node's end") {
  temporary_directory where;
  struct seen {
    std::mutex mutex;
    std::set<std::string> events;
  };
  // What is abandoned may go on to log.
  auto log = std::make_shared<seen>();
  auto how = in(where);
  how.stop_limit = 1s;
  how.log = [log](const weir::log_event& x) {
    std::lock_guard guard{log->mutex};
    log->events.insert(std::string{x.event});
  };
  {
    auto words_node = started<stuck>(how);
    must(words_node.produce(lines, "a line"));
    entered.get_future().wait();
    words_node.stop();
    auto end = words_node.wait();
    CHECK(end.outcome == weir::node_outcome::failed);
    CHECK(end.left.find("task") != std::string::npos);
    CHECK(end.uncommitted);
  }
  std::lock_guard guard{log->mutex};
  CHECK(log->events.count("node.abandoned") == 1);
}
