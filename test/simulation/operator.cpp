// What an operator and the checks see and write of a job's znodes.
#include <functional>
#include <stdexcept>

#include "runtime/embedded/coordination/coordination.hpp"
#include "test/simulation/life.hpp"
#include "test/simulation/simulation.hpp"

namespace weir::sim {

namespace {

/// Asks, and lets the service answer.
void with_session(machine& on, const std::function<void(coordination&)>& ask) {
  auto systems = open_systems(on);
  if (!systems)
    throw std::logic_error{"the checker cannot ask the coordination: " +
                           to_string(systems.error())};
  auto queue = std::make_shared<sim_executor>("checker", 1, on.time);
  auto service = make_embedded_coordination(
      systems->database, queue, [] { return std::chrono::milliseconds{0}; });
  auto session = service->open_session({});
  if (!session)
    throw std::logic_error{"the checker cannot ask the coordination: " +
                           to_string(session.error())};
  ask(**session);
  while (queue->runnable() > 0)
    queue->run(0);
  (*session)->close();
}

/// A znode of every task, where there is one that can be read.
template <class Path, class Node>
std::map<int, Node> read_each(machine& on, Path path,
                              result<Node> (*decode)(const std::string&)) {
  std::map<int, Node> out;
  znode_paths paths{on.work.job.name()};
  with_session(on, [&](coordination& session) {
    for (int p = 0; p < on.work.partitions; ++p)
      session.get(path(paths, p), nullptr, [&, p](result<znode> node) {
        if (!node)
          return;
        if (auto read = decode(node->data))
          out.emplace(p, std::move(*read));
      });
  });
  return out;
}

} // namespace

std::map<int, claim_node> read_claims(machine& on) {
  return read_each(
      on, [](auto& paths, int task) { return paths.claim(task); },
      decode_claim);
}

void set_claims_back(machine& on) {
  auto claims = read_claims(on);
  with_session(on, [&](coordination& session) {
    for (auto& [partition, claim] : claims) {
      claim.epoch = 0;
      session.set(znode_paths{on.work.job.name()}.claim(partition),
                  encode(claim), any_version, [](result<znode_stat>) {});
    }
  });
}

void write_config(machine& on, const std::string& content) {
  with_session(on, [&](coordination& session) {
    session.ensure(znode_paths{on.work.job.name()}.config(), content,
                   [](result<void>) {});
  });
}

void decide_parked(machine& on, parked_decision what) {
  znode_paths paths{on.work.job.name()};
  with_session(on, [&](coordination& session) {
    for (int p = 0; p < on.work.partitions; ++p)
      session.get(paths.parked(p), nullptr, [&, p](result<znode> node) {
        if (!node)
          return;
        auto parked = *decode_parked(node->data);
        // What `resume` would refuse is another word for this task.
        for (auto word : {what, parked_decision::skip, parked_decision::resume})
          if (check_decision(parked, word)) {
            parked.decision = word;
            break;
          }
        session.set(paths.parked(p), encode(parked), node->stat.version,
                    [](result<znode_stat>) {});
      });
  });
}

std::map<int, parked_node> read_parked(machine& on) {
  return read_each(
      on, [](auto& paths, int task) { return paths.parked(task); },
      decode_parked);
}

} // namespace weir::sim
