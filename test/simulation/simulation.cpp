#include "test/simulation/simulation.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "runtime/base/log.hpp"
#include "test/simulation/life.hpp"

namespace weir::sim {

std::map<std::string, std::uint64_t>& decisions_met() {
  static std::map<std::string, std::uint64_t> met;
  return met;
}

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
          on.log.add('l', on.tag() + fmt::format("{} {}", event, text));
          if (event == "failure.decided")
            ++decisions_met()[std::string{text}];
          if (int task = 0; event == "task.restored" &&
                            std::sscanf(std::string{text}.c_str(), "task=%d",
                                        &task) == 1)
            on.restored_by[task] = on.at_work;
          if (event == "node.stopping")
            on.stopping.insert(on.at_work);
          if (event == "lane.given_up" && on.stopping.count(on.at_work) > 0)
            on.gave_up_at_stop.insert(on.at_work);
        });
    for (auto& disk : on.disks)
      disk.set_trace([&log = on.log](std::string_view operation) {
        log.add('f', operation);
      });
  }
  ~traced() {
    set_log_sink({});
    set_log_level(log_level::info);
    for (auto& disk : on_.disks)
      disk.set_trace({});
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
      write_config(on_, on_.plan.live_config);
    for (; out_.lives < most_lives; ++out_.lives) {
      switch (run_life()) {
      case life_end::drained:
        // After a failed last commit, a lost release or a dead node one more
        // life without faults has to show what became of it.
        if (!std::exchange(quiet_, true) && may_leave_something()) {
          calm_down();
          break;
        }
        // A node may end when another has drained what it is about to claim.
        if (on_.plan.nodes > 1 && on_.alone < 0 && !is_all_released()) {
          calm_down();
          on_.alone = out_.lives % on_.plan.nodes;
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
  bool may_leave_something() const {
    return on_.faults.lost_commit > 0 || on_.broken_network > 0 || disturbed_ ||
           !on_.slow.empty() || !on_.plan.failures.empty();
  }

  bool is_all_released() {
    auto claims = read_claims(on_);
    return std::all_of(claims.begin(), claims.end(),
                       [](auto& each) { return each.second.released; });
  }

  void calm_down() {
    on_.faults = {};
    on_.slow = {};
    on_.broken_network = 0;
    on_.node_faults.clear();
  }

  bool crash_is_due() {
    auto& after = on_.plan.crash_after;
    return on_.server_disk().crashed() ||
           (next_ < after.size() && on_.steps >= after[next_]);
  }

  life_end run_life() {
    on_.stopping.clear();
    on_.gave_up_at_stop.clear();
    // Whoever parked it may have died before it could end in order.
    awaits_word_ = out_.lives > 0 && may_park() && someone_waits_for_a_word();
    on_.planned.begin_life(out_.lives);
    life now{on_, out_.lives};
    if (out_.lives == 0 && on_.plan.crash_in_operation)
      on_.disk_of(0).inject(on_.disk_of(0).operations() +
                                *on_.plan.crash_in_operation,
                            file_fault::crash);
    if (auto started = now.start(); !started) {
      if (on_.server_disk().crashed())
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
    disturbed_ |= now.was_disturbed();
    return judge(now);
  }

  bool may_park() const {
    return on_.plan.wrong != poison::none || !on_.plan.failures.empty();
  }

  bool someone_waits_for_a_word() {
    for (auto& [partition, node] : read_parked(on_))
      if (node.decision == parked_decision::none)
        return true;
    return false;
  }

  /// Where the code is not mended, the next record at fault parks the task; a
  /// record that is passed without a word is missed at the end.
  bool meets_poison_again(const life& now) const {
    auto reports = now.reports();
    return on_.plan.word != parked_decision::resume &&
           std::any_of(reports.begin(), reports.end(), [this](auto* each) {
             return each != nullptr &&
                    (each->outcome == node_outcome::task_stopped ||
                     (on_.plan.lose_input &&
                      each->outcome == node_outcome::data_loss));
           });
  }

  /// As the operator would, and remembers which records are given up by it. A
  /// record that was given up does not park the task again.
  void say_the_word() {
    if (on_.plan.word != parked_decision::resume)
      for (auto& [partition, node] : read_parked(on_))
        if (!node.decided() && node.has_record())
          give_up(node);
    decide_parked(on_, on_.plan.word);
  }

  void give_up(const parked_node& x) {
    if (x.kind == parked_kind::lost_input)
      return leave_out(x);
    auto at = place_of(x);
    if (!is_poison(x.partition, x.offset))
      on_.history.problems.insert(at + " is not at fault, but parked");
    if (!on_.work.given_up.emplace(at, on_.plan.word).second)
      on_.history.problems.insert(at + " was given up, and parked again");
  }

  /// Nobody can process what is deleted, nor give it away.
  void leave_out(const parked_node& x) {
    auto gaps = x.more_gaps;
    gaps.push_back({x.topic, x.offset, x.until});
    open_decision one;
    for (auto& each : gaps) {
      one.topic = each.topic;
      for (one.offset = each.offset; one.offset < each.until; ++one.offset)
        on_.work.given_up[place_of(one, x.partition)] = one.decision;
    }
  }

  life_end judge(life& now) {
    auto wrong = awaits_word_ || (on_.plan.wrong != poison::none &&
                                  on_.plan.wrong != poison::slow_at_a_record &&
                                  out_.lives == 0) ||
                 on_.planned.parks() || meets_poison_again(now);
    for (auto* report : now.reports()) {
      if (report == nullptr) {
        out_.problems.push_back("nothing is left to do, but a node lives");
        return tear_down(now, life_end::standstill);
      }
      // Ended by an injected exception, or without its last commit: another
      // life has to show that nothing came of it.
      auto incomplete =
          report->outcome == node_outcome::failed &&
          (on_.plan.probe || on_.planned.stops_node() ||
           (report->uncommitted && report->drained && may_leave_something()));
      incomplete_ |= incomplete;
      if (incomplete)
        continue;
      if (wrong
              ? report->outcome != node_outcome::task_stopped &&
                    report->outcome != node_outcome::data_loss
              : report->outcome != node_outcome::stopped || !report->drained) {
        out_.problems.push_back("the node ended: " + report->text);
        return tear_down(now, life_end::failed);
      }
    }
    auto all = now.saw_all_input() && !now.reports().empty() &&
               !std::exchange(incomplete_, false);
    topic_partition lost{on_.work.job.inputs().front(), 1};
    auto input_end = now.input_end(lost);
    auto ended = now.end();
    // The orderly end of a process touches its files too.
    if (on_.any_disk_crashed())
      return life_end::crashed;
    if (!ended) {
      out_.problems.push_back("end: " + to_string(ended.error()));
      return life_end::failed;
    }
    check_releases();
    if (on_.plan.lose_input && out_.lives == 0)
      on_.history.kept_from[lost] = input_end;
    if (!out_.problems.empty())
      return life_end::failed;
    // H28: somebody has looked at what stopped the task.
    if (wrong) {
      if (auto found = check_parked(on_); !found.empty()) {
        out_.problems = std::move(found);
        return life_end::failed;
      }
      say_the_word();
    }
    // The task's own input is still to be processed then.
    return all && !wrong ? life_end::drained : life_end::stopped;
  }

  /// C2, H17: a release after a failed last commit is behind a fence of its id.
  /// One lane has all tasks of a node there.
  void check_releases() {
    // With broken connections one task may have left in order before the
    // other's claim was lost.
    if (on_.gave_up_at_stop.empty() ||
        on_.plan.load != workload_kind::mixed || on_.plan.broken_network > 0)
      return;
    for (auto& [partition, claim] : read_claims(on_)) {
      auto owner = on_.node_of_process.find(claim.process.pid);
      auto gave_up =
          on_.plan.nodes == 1 || (owner != on_.node_of_process.end() &&
                                  on_.gave_up_at_stop.count(owner->second) > 0);
      if (claim.released && gave_up &&
          on_.history.fenced.count(claim.producer_id) == 0)
        out_.problems.push_back(fmt::format(
            "claim {} was released though the last commit failed and its id "
            "was not fenced (H17)",
            partition));
    }
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
    for (auto& disk : on_.disks)
      on_.crash_disk(disk);
  }

  /// Between two lives.
  void accident() {
    // A crash within the orderly end has not reached the disk yet.
    for (auto& disk : on_.disks)
      if (disk.crashed())
        on_.crash_disk(disk);
    if (on_.plan.old_claims)
      set_claims_back(on_);
    if (on_.plan.lose_databases)
      for (int node = 0; node < on_.plan.nodes; ++node)
        on_.lose_databases_of(node);
  }

  machine& on_;
  outcome& out_;
  std::size_t next_ = 0;
  bool quiet_ = false;
  bool disturbed_ = false;
  /// In this life a node could not make its last commit.
  bool incomplete_ = false;
  /// A task is parked since an earlier life, and nobody has decided.
  bool awaits_word_ = false;
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
  out.commits = on.history.commits;
  out.operations = on.disk_of(0).operations();
  out.trace_hash = on.log.hash();
  for (auto& line : on.log.last_lines())
    out.tail += line + '\n';
  if (drained) {
    on.log.pause(true);
    out.problems = check(on);
  }
  for (auto& each : on.history.problems)
    out.problems.push_back(each);
  return out;
}

} // namespace weir::sim
