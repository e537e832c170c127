#include "test/simulation/workload.hpp"

#include <charconv>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "actors/base/node_context.hpp"
#include "runtime/stream/partitioner.hpp"
#include "stores/kv/store_error.hpp"
#include "test/simulation/node_world.hpp"

namespace weir::sim {

namespace {

/// After so many the entry is erased, so that the changelog has tombstones.
constexpr int closing_count = 5;

struct tally {
  int count = 0;
  std::int64_t sum = 0;
};

std::string encode(const tally& x) {
  return fmt::format("{} {}", x.count, x.sum);
}

tally decode(const std::string& text) {
  tally out;
  auto end = text.data() + text.size();
  auto next = std::from_chars(text.data(), end, out.count).ptr;
  std::from_chars(next + 1, end, out.sum);
  return out;
}

bool is_bad(std::string_view value) {
  return value == "bad";
}

std::string place(std::string_view topic, int partition, std::int64_t offset) {
  return fmt::format("{}/{}@{}", topic, partition, offset);
}

std::string output_value(std::string_view where, const tally& x) {
  return fmt::format("{} n={} sum={}", where, x.count, x.sum);
}

constexpr input<std::string, std::string> left{"left"};
constexpr input<std::string, std::string> right{"right"};
constexpr store<std::string, std::string> tallies{"tallies"};
constexpr output<std::string, std::string> results{"results"};
constexpr store<std::string, std::int64_t> beat_counts{"beats"};
constexpr output<std::string, std::string> beats{"beats"};
/// Of no job.
constexpr store<std::string, std::string> unlisted{"poison"};

/// Counts and sums the values of each key of each input.
class tally_task : public task {
public:
  tally_task(const task_setup& setup, node_world* world)
      : task(setup), world_(*world) {
    on(left, &tally_task::process);
  }

  virtual void process(const record& x) {
    fail_as_planned();
    if (is_bad(*x.value()))
      return reject("bad");
    auto name = std::string{x.topic()} + '/' + std::string{*x.key()};
    auto known = tallies_.get(name);
    auto now = known ? decode(*known) : tally{};
    ++now.count;
    std::int64_t value = 0;
    std::from_chars(x.value()->data(), x.value()->data() + x.value()->size(),
                    value);
    now.sum += value;
    if (now.count == closing_count)
      tallies_.erase(name);
    else
      tallies_.put(name, encode(now));
    results_.emit(
        *x.key(),
        output_value(place(x.topic(), x.partition(), x.offset()), now));
  }

protected:
  node_world& world() noexcept { return world_; }

private:
  void fail_as_planned() {
    auto& planned = world_.planned();
    if (auto why = planned.hit(node_call::read_store))
      throw store_error{why->code(), why->text()};
    if (auto why = planned.hit(node_call::user_code))
      throw std::runtime_error{why->text()};
  }

  node_world& world_;
  use<tallies> tallies_{this};
  use<results> results_{this};
};

/// Also counts the beats of a timer, and says each number once.
class beating_task : public tally_task {
public:
  beating_task(const task_setup& setup, node_world* world)
      : tally_task(setup, world) {
    on(right, &tally_task::process);
  }

  void on_assigned(state_origin) override {
    every(std::chrono::milliseconds{9}, [this] {
      auto next = counts_.get("beats").value_or(0) + 1;
      counts_.put("beats", next);
      beats_.emit("beats", std::to_string(next), {.partition = partition()});
    });
  }

private:
  use<beat_counts> counts_{this};
  use<beats> beats_{this};
};

/// Wrong code: throws at one record, however often it is tried.
class throwing_task : public beating_task {
public:
  using beating_task::beating_task;
  void process(const record& x) override {
    if (is_poison(partition(), x.offset()))
      throw std::runtime_error{"poison"};
    beating_task::process(x);
  }
};

/// Wrong code: one record takes long.
class slow_task : public beating_task {
public:
  using beating_task::beating_task;
  void process(const record& x) override {
    if (is_poison(partition(), x.offset()))
      world().work(slow_record_time);
    beating_task::process(x);
  }
};

/// Wrong code: uses a store that the job does not declare.
class undeclared_task : public beating_task {
public:
  undeclared_task(const task_setup& setup, node_world* world)
      : beating_task(setup, world) {
    if (partition() == 1)
      unlisted_.emplace(this);
  }

private:
  std::optional<use<unlisted>> unlisted_;
};

weir::job make_job(workload_kind kind) {
  if (kind == workload_kind::plain)
    return weir::job{"tally", left, results, tallies};
  return weir::job{"tally", left, right, results, beats, tallies, beat_counts};
}

} // namespace

settings workload::make_settings(guarantee promise) const {
  settings out;
  out.data_directory = "/sim";
  out.guarantee = promise;
  out.check_interval = milliseconds{12};
  out.until_drained = true;
  out.threads = kind == workload_kind::plain ? 2 : 1;
  out.on_bad_record = bad_record_policy::dead_letter;
  // The held buffer of L5 fills up now and then.
  out.held_bytes = 200;
  // Three waits of a restore: they take real time.
  out.patience = milliseconds{300};
  return out;
}

task_factory workload::factory(poison wrong, node_world& world) const {
  if (wrong == poison::throws_at_a_record)
    return task_of<throwing_task>(&world);
  if (wrong == poison::cannot_be_constructed)
    return task_of<undeclared_task>(&world);
  if (wrong == poison::slow_at_a_record)
    return task_of<slow_task>(&world);
  return kind == workload_kind::plain ? task_of<tally_task>(&world)
                                      : task_of<beating_task>(&world);
}

workload make_workload(workload_kind kind, std::uint64_t seed) {
  constexpr int records = 40;
  workload out{kind, make_job(kind), 2, {}, {}};
  sim_random random{seed ^ 0x5eed};
  auto& inputs = out.job.inputs();
  for (auto& topic : inputs)
    for (int p = 0; p < out.partitions; ++p)
      out.input[{topic, p}];
  for (int i = 0; i < records; ++i) {
    auto& topic = inputs[random.below(inputs.size())];
    auto key = "k" + std::to_string(random.below(7));
    auto bad = kind == workload_kind::mixed && random.below(10) == 0;
    auto value = bad ? "bad" : std::to_string(random.below(1000));
    out.input[{topic, partition_of(key, out.partitions)}].push_back(
        {key, value});
  }
  return out;
}

expectation expect(const workload& of) {
  expectation out;
  for (auto& [where, records] : of.input) {
    auto& [topic, partition] = where;
    std::map<std::string, tally> tallies;
    for (std::size_t offset = 0; offset < records.size(); ++offset) {
      auto& x = records[offset];
      auto here = place(topic, partition, static_cast<std::int64_t>(offset));
      auto given_up = of.given_up.find(here);
      if (given_up != of.given_up.end() || is_bad(x.value)) {
        if (given_up == of.given_up.end() ||
            given_up->second == parked_decision::dead_letter)
          out.dead_letters.push_back(here);
        continue;
      }
      auto& now = tallies[x.key];
      ++now.count;
      now.sum += std::stoll(x.value);
      out.outputs[{partition_of(x.key, of.partitions), topic + '/' + x.key}]
          .push_back(output_value(here, now));
      if (now.count == closing_count)
        tallies.erase(x.key);
    }
    for (auto& [key, now] : tallies)
      out.tallies[partition][topic + '/' + key] = encode(now);
  }
  return out;
}

} // namespace weir::sim
