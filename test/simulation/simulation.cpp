#include "test/simulation/simulation.hpp"

#include <fmt/format.h>

#include "runtime/log.hpp"
#include "test/simulation/life.hpp"

namespace weir::sim {

namespace {

/// Far beyond what a scenario needs: more is a standstill.
constexpr std::uint64_t most_steps = 30'000;
constexpr int most_lives = 60;

/// The process's log and the disk's operations go to the trace meanwhile.
class traced {
public:
  explicit traced(machine& on) : on_(on) {
    set_log_level(log_level::debug);
    set_log_sink(
        [&on](log_level, std::string_view event, std::string_view text) {
          on.log.add('l', fmt::format("{} {}", event, text));
          on.stopping |= event == "node.stopping";
          on.gave_up_at_stop |= on.stopping && event == "lane.given_up";
        });
    on.disk.set_trace([&log = on.log](std::string_view operation) {
      log.add('f', operation);
    });
  }
  ~traced() {
    set_log_sink({});
    set_log_level(log_level::info);
    on_.disk.set_trace({});
  }
  traced(const traced&) = delete;
  traced& operator=(const traced&) = delete;

private:
  machine& on_;
};

enum class life_end { drained, crashed, stopped, standstill, failed };

class runner {
public:
  runner(machine& on, outcome& out) : on_(on), out_(out) {}

  /// True: all input is processed.
  bool run() {
    if (!on_.plan.live_config.empty())
      write_config(on_, 0, on_.plan.live_config);
    for (; out_.lives < most_lives; ++out_.lives) {
      switch (run_life()) {
      case life_end::drained:
        // After a failed last commit or a lost release one more life without
        // faults has to show what became of it.
        if (!std::exchange(quiet_, true) &&
            (on_.faults.lost_commit > 0 || on_.broken_network > 0)) {
          on_.faults = {};
          on_.broken_network = 0;
          break;
        }
        ++out_.lives;
        return true;
      case life_end::failed:
      case life_end::standstill:
        return false;
      case life_end::crashed:
        accident();
        break;
      case life_end::stopped:
        break;
      }
    }
    out_.problems.push_back("the job needs too many lives");
    return false;
  }

private:
  bool crash_is_due() {
    auto& after = on_.plan.crash_after;
    return on_.disk.crashed() ||
           (next_ < after.size() && on_.steps >= after[next_]);
  }

  life_end run_life() {
    on_.stopping = on_.gave_up_at_stop = false;
    life now{on_, out_.lives};
    if (out_.lives == 0 && on_.plan.crash_in_operation)
      on_.disk.inject(on_.disk.operations() + *on_.plan.crash_in_operation,
                      file_fault::crash);
    if (auto started = now.start(); !started) {
      if (on_.disk.crashed())
        return die(now);
      out_.problems.push_back("start: " + to_string(started.error()));
      return tear_down(now, life_end::failed);
    }
    while (now.step()) {
      if (crash_is_due())
        return die(now);
      if (on_.steps >= most_steps) {
        out_.problems.push_back("the job does not end");
        return tear_down(now, life_end::standstill);
      }
    }
    return judge(now);
  }

  life_end judge(life& now) {
    auto report = now.report();
    if (!report) {
      out_.problems.push_back("nothing is left to do, but the node lives");
      return tear_down(now, life_end::standstill);
    }
    auto wrong = on_.plan.wrong != poison::none && out_.lives == 0;
    if (wrong ? report->outcome != node_outcome::task_stopped
              : report->outcome != node_outcome::stopped || !report->drained) {
      out_.problems.push_back("the node ended: " + report->text);
      return tear_down(now, life_end::failed);
    }
    auto all = now.saw_all_input();
    auto ended = now.end();
    // The orderly end of a process touches its files too.
    if (on_.disk.crashed())
      return life_end::crashed;
    if (!ended) {
      out_.problems.push_back("end: " + to_string(ended.error()));
      return life_end::failed;
    }
    // One lane has all tasks there.
    if (on_.gave_up_at_stop && on_.plan.load == workload_kind::mixed)
      for (auto& [partition, claim] : read_claims(on_, out_.lives))
        if (claim.released)
          out_.problems.push_back(fmt::format(
              "claim {} was released though the last commit failed (C2)",
              partition));
    if (!out_.problems.empty())
      return life_end::failed;
    return all ? life_end::drained : life_end::stopped;
  }

  life_end die(life& now) {
    on_.log.add('x', fmt::format("crash after step {}", on_.steps));
    // First the disk, so that nothing of the rest has an effect.
    crash_disk();
    return tear_down(now, life_end::crashed);
  }

  life_end tear_down(life& now, life_end how) {
    on_.log.pause(true);
    now.crash();
    on_.log.pause(false);
    return how;
  }

  void crash_disk() {
    auto& after = on_.plan.crash_after;
    if (next_ < after.size() && on_.steps >= after[next_])
      ++next_;
    if (on_.plan.kind == crash_kind::process)
      on_.disk.crash_process();
    else
      on_.disk.crash_power([this] { return on_.accident.bits(); });
  }

  /// Between two lives.
  void accident() {
    // A crash within the orderly end has not reached the disk yet.
    if (on_.disk.crashed())
      crash_disk();
    if (on_.plan.old_claims)
      set_claims_back(on_, out_.lives);
    if (!on_.plan.lose_databases)
      return;
    auto files = on_.disk.current();
    auto how = on_.work.make_settings(on_.plan.promise);
    for (int p = 0; p < on_.work.partitions; ++p)
      static_cast<void>(remove_directory(
          *files, task_directory(how, on_.work.job.name(), p) + "/db"));
  }

  machine& on_;
  outcome& out_;
  std::size_t next_ = 0;
  bool quiet_ = false;
};

} // namespace

outcome simulate(const scenario& what,
                 std::function<void(char, std::string_view)> print) {
  machine on{what};
  on.log.on_line(std::move(print));
  outcome out;
  traced while_running{on};
  auto drained = runner{on, out}.run();
  out.steps = on.steps;
  out.operations = on.disk.operations();
  out.trace_hash = on.log.hash();
  for (auto& line : on.log.last_lines())
    out.tail += line + '\n';
  if (drained) {
    on.log.pause(true);
    out.problems = check(on, out.lives, out.commits);
  }
  for (auto& each : on.history.problems)
    out.problems.push_back(each);
  return out;
}

std::string replay_command(const scenario& what) {
  auto out = fmt::format(
      "weir-simulate --seed {} --guarantee {} --load {} --kind {}", what.seed,
      what.promise == guarantee::exactly_once ? "exactly-once"
                                              : "at-least-once",
      what.load == workload_kind::plain ? "plain" : "mixed",
      what.kind == crash_kind::process ? "process" : "power");
  for (auto each : what.crash_after)
    out += fmt::format(" --crash-at {}", each);
  if (what.crash_in_operation)
    out += fmt::format(" --crash-in {}", *what.crash_in_operation);
  const std::pair<const char*, unsigned> numbers[] = {
      {"retire", what.faults.retire},
      {"lost-commit", what.faults.lost_commit},
      {"full", what.faults.full},
      {"no-offset", what.faults.no_offset},
      {"fence-blocked", what.faults.fence_blocked},
      {"silent-polls", what.faults.silent_polls},
      {"broken-network", what.broken_network},
  };
  for (auto& [name, value] : numbers)
    if (value > 0)
      out += fmt::format(" --{} {}", name, value);
  if (what.old_claims)
    out += " --old-claims";
  if (what.lose_databases)
    out += " --lose-databases";
  if (what.wrong != poison::none)
    out += what.wrong == poison::throws_at_a_record ? " --wrong throws"
                                                    : " --wrong constructor";
  if (!what.live_config.empty())
    out += fmt::format(" --live-config '{}'", what.live_config);
  return out;
}

} // namespace weir::sim
