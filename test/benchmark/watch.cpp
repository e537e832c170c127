// Runs a job and measures it from outside, by its output topic: the same
// yardstick for every job, whatever it says of itself.
//
//   weir-bench-watch --kafka H:P --topic changes --expect 2000000 -- job args
//
// The clock runs from the first output in the log (committed or not) to the
// last one that a read-committed reader may see. CPU time and peak memory are
// the job's whole life, as the kernel counted them. A job without outputs is
// watched by its changelog.
//
// With --lanes N the longest time between two commits is told: of each lane
// (partitions p with the same p mod N) from its first commit to its last, as a
// read-committed reader sees them; also when the first came, after the start.
//
// With --seconds S the job is stopped S seconds after the first output; what
// is counted then are the committed offsets of all partitions but --except.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "test/benchmark/kafka_client.hpp"

namespace {

using namespace weir::bench;
using std::chrono::steady_clock;

/// Between two looks: fine against runs of seconds, and no load for the broker,
/// which looks at every partition.
std::chrono::milliseconds pause(std::size_t partitions) {
  return std::chrono::milliseconds{10 + partitions / 4};
}

struct options {
  std::string brokers;
  std::string topic;
  std::uint64_t expect = 0;
  std::uint32_t limit_seconds = 600;
  std::size_t lanes = 0;
  std::uint32_t seconds = 0;
  int except = -1;
  std::vector<std::string> command;
};

struct outcome {
  std::optional<steady_clock::time_point> first;
  std::optional<steady_clock::time_point> last;
  std::optional<steady_clock::time_point> first_commit;
  steady_clock::time_point started;
  steady_clock::duration longest_gap{0};
  std::int64_t counted = 0;
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

using offsets = std::vector<std::int64_t>;

/// A topic's ends as one isolation level sees them; none while the topic does
/// not exist.
class end_watcher {
public:
  end_watcher(const options& o, const char* level)
      : topic_(o.topic),
        client_(make_consumer(o.brokers, {{"isolation.level", level}})) {}

  std::size_t partitions() const {
    return static_cast<std::size_t>(partitions_);
  }

  offsets ends() {
    if (partitions_ == 0)
      partitions_ = partitions_of(client_, topic_);
    if (partitions_ == 0)
      return {};
    return end_offsets(client_, topic_, partitions_);
  }

private:
  std::string topic_;
  handle client_;
  int partitions_ = 0;
};

/// When each lane committed last.
class commit_watcher {
public:
  explicit commit_watcher(const options& o) : options_(o), last_(o.lanes) {}

  void look(const offsets& now, outcome& out) {
    auto at = steady_clock::now();
    std::vector<bool> moved(last_.size());
    for (std::size_t p = 0; p < now.size() && !last_.empty(); ++p)
      if (static_cast<int>(p) != options_.except &&
          now[p] > (p < before_.size() ? before_[p] : 0))
        moved[p % last_.size()] = true;
    before_ = now;
    for (std::size_t lane = 0; lane < last_.size(); ++lane) {
      if (!moved[lane])
        continue;
      if (!out.first_commit)
        out.first_commit = at;
      if (last_[lane])
        out.longest_gap = std::max(out.longest_gap, at - *last_[lane]);
      last_[lane] = at;
    }
  }

private:
  const options& options_;
  std::vector<std::optional<steady_clock::time_point>> last_;
  offsets before_;
};

std::int64_t sum(const options& o, const offsets& ends) {
  std::int64_t out = 0;
  for (std::size_t p = 0; p < ends.size(); ++p)
    out += static_cast<int>(p) == o.except ? 0 : ends[p];
  return out;
}

outcome watch(const options& o) {
  end_watcher written{o, "read_uncommitted"};
  end_watcher committed{o, "read_committed"};
  commit_watcher commits{o};
  outcome out;
  auto pid = start(o.command);
  out.started = steady_clock::now();
  auto deadline = out.started + std::chrono::seconds{o.limit_seconds};
  auto look = [&] {
    if (!out.first) {
      if (sum(o, written.ends()) > 0)
        out.first = steady_clock::now();
      return;
    }
    // Markers move the end too; the last of them ends the run for both.
    auto ends = committed.ends();
    commits.look(ends, out);
    auto now = sum(o, ends);
    if (now > out.counted)
      out.last = steady_clock::now();
    out.counted = now;
  };
  bool stopped = false;
  while (wait4(pid, &out.status, WNOHANG, &out.used) == 0) {
    auto now = steady_clock::now();
    if (now > deadline) {
      kill(pid, SIGKILL);
      wait4(pid, &out.status, 0, &out.used);
      die("the job was killed: it took longer than --limit-seconds");
    }
    if (o.seconds > 0 && out.first && !stopped &&
        now - *out.first > std::chrono::seconds{o.seconds}) {
      // A slow call may be under way: what it does after this is not counted.
      kill(pid, SIGTERM);
      stopped = true;
      deadline = now + std::chrono::seconds{120};
    }
    if (!stopped)
      look();
    std::this_thread::sleep_for(pause(written.partitions()));
  }
  if (!stopped)
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
  auto records =
      o.seconds > 0 ? x.counted : static_cast<std::int64_t>(o.expect);
  auto millions = static_cast<double>(records) / 1e6;
  std::printf("{\"records\":%lld,\"seconds\":%.3f,\"records_per_second\":%.0f,"
              "\"cpu_seconds_per_million\":%.2f,\"peak_mb\":%.0f",
              static_cast<long long>(records), seconds,
              static_cast<double>(records) / seconds,
              (of(x.used.ru_utime) + of(x.used.ru_stime)) / millions,
              static_cast<double>(x.used.ru_maxrss) / 1024);
  if (x.first_commit)
    std::printf(
        ",\"first_commit_s\":%.3f,\"longest_gap_s\":%.3f",
        std::chrono::duration<double>(*x.first_commit - x.started).count(),
        std::chrono::duration<double>(x.longest_gap).count());
  std::printf("}\n");
}

} // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app{"measures a job from outside, by its output topic"};
  app.add_option("--kafka", o.brokers)->required();
  app.add_option("--topic", o.topic, "the job's output")->required();
  app.add_option("--expect", o.expect, "records that it processes");
  app.add_option("--lanes", o.lanes, "tell the longest time between commits");
  app.add_option("--seconds", o.seconds, "stop the job after so many");
  app.add_option("--except", o.except, "partition that is not counted");
  app.add_option("--limit-seconds", o.limit_seconds);
  app.add_option("command", o.command, "after --")->required();
  CLI11_PARSE(app, argc, argv);
  auto done = watch(o);
  print_result(o, done);
  if (o.seconds == 0 &&
      (!WIFEXITED(done.status) || WEXITSTATUS(done.status) != 0))
    die("the job ended with wait status " + std::to_string(done.status));
}
