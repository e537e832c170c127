// Runs a job and measures it from outside, by its output topic: the same
// yardstick for every job, whatever it says of itself.
//
//   weir-bench-watch --kafka H:P --topic changes --expect 2000000 -- job args
//
// The clock runs from the first output in the log (committed or not) to the
// last one that a read-committed reader may see. CPU time and peak memory are
// the job's whole life, as the kernel counted them.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "test/benchmark/kafka_client.hpp"

namespace {

using namespace weir::bench;
using std::chrono::steady_clock;

/// Fine against runs of seconds, and no load for the broker.
constexpr std::chrono::milliseconds look_interval{10};

struct options {
  std::string brokers;
  std::string topic;
  std::uint64_t expect = 0;
  std::uint32_t limit_seconds = 600;
  std::vector<std::string> command;
};

struct outcome {
  std::optional<steady_clock::time_point> first;
  std::optional<steady_clock::time_point> last;
  int status = 0;
  rusage used{};
};

pid_t start(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (auto& x : command)
    arguments.push_back(const_cast<char*>(x.c_str()));
  arguments.push_back(nullptr);
  auto pid = fork();
  if (pid < 0)
    die("fork failed");
  if (pid == 0) {
    // No job goes on that nobody watches.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The job's words go to stderr: stdout is the result.
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(arguments[0], arguments.data());
    std::perror(arguments[0]);
    _exit(127);
  }
  return pid;
}

/// The sum of a topic's ends as one isolation level sees them; 0 while the
/// topic does not exist.
class end_watcher {
public:
  end_watcher(const options& o, const char* level)
      : topic_(o.topic),
        client_(make_consumer(o.brokers, {{"isolation.level", level}})) {}

  std::int64_t sum() {
    if (partitions_ == 0)
      partitions_ = partitions_of(client_, topic_);
    if (partitions_ == 0)
      return 0;
    auto ends = end_offsets(client_, topic_, partitions_);
    return std::accumulate(ends.begin(), ends.end(), std::int64_t{0});
  }

private:
  std::string topic_;
  handle client_;
  int partitions_ = 0;
};

outcome watch(const options& o) {
  end_watcher written{o, "read_uncommitted"};
  end_watcher committed{o, "read_committed"};
  outcome out;
  auto pid = start(o.command);
  auto deadline = steady_clock::now() + std::chrono::seconds{o.limit_seconds};
  std::int64_t seen = 0;
  auto look = [&] {
    if (!out.first) {
      if (written.sum() > 0)
        out.first = steady_clock::now();
      return;
    }
    // Markers move the end too; the last of them ends the run for both.
    auto now = committed.sum();
    if (now > seen)
      out.last = steady_clock::now();
    seen = now;
  };
  while (wait4(pid, &out.status, WNOHANG, &out.used) == 0) {
    if (steady_clock::now() > deadline) {
      kill(pid, SIGKILL);
      wait4(pid, &out.status, 0, &out.used);
      die("the job was killed: it took longer than --limit-seconds");
    }
    look();
    std::this_thread::sleep_for(look_interval);
  }
  look();
  if (!out.first || !out.last)
    die("the job wrote nothing to " + o.topic);
  return out;
}

void print_result(const options& o, const outcome& x) {
  auto seconds = std::chrono::duration<double>(*x.last - *x.first).count();
  auto of = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  auto records = static_cast<double>(o.expect);
  std::printf("{\"records\":%llu,\"seconds\":%.3f,\"records_per_second\":%.0f,"
              "\"cpu_seconds_per_million\":%.2f,\"peak_mb\":%.0f}\n",
              static_cast<unsigned long long>(o.expect), seconds,
              records / seconds,
              (of(x.used.ru_utime) + of(x.used.ru_stime)) / (records / 1e6),
              static_cast<double>(x.used.ru_maxrss) / 1024);
}

} // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app{"measures a job from outside, by its output topic"};
  app.add_option("--kafka", o.brokers)->required();
  app.add_option("--topic", o.topic, "the job's output")->required();
  app.add_option("--expect", o.expect, "records that it processes")->required();
  app.add_option("--limit-seconds", o.limit_seconds);
  app.add_option("command", o.command, "after --")->required();
  CLI11_PARSE(app, argc, argv);
  auto done = watch(o);
  print_result(o, done);
  if (!WIFEXITED(done.status) || WEXITSTATUS(done.status) != 0)
    die("the job ended with wait status " + std::to_string(done.status));
}
