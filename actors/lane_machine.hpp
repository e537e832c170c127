// The transaction loop of a lane as a plain state machine (rules L3 to L7).
//
//            opened                tick            all sealed, outputs acked
//   closed ---------> open ----------------> sealing ----------> publishing
//     ^                ^ |                      |  (all empty)       |
//     |                | +----------------------+                    |
//     |                +---- committed: begin n+1, tasks apply n <---+
//     |                                                              |
//     +------ committed, but the id must be retired (L4) <-----------+
//
// Anything unexpected gives the lane up: `give_up` is the last action of a
// machine. Used by the lane actor only; knows no actor, clock or producer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weir {

class lane_machine {
public:
  /// Ask task `partition` to seal for transaction `number`. `forced`: write a
  /// commit record even if nothing changed. `last`: process nothing after it.
  struct seal {
    int partition;
    std::uint64_t number;
    bool forced;
    bool last;
  };
  struct commit {
    std::uint64_t number;
  };
  /// The transaction is durable: task applies its frozen overlay.
  struct apply {
    int partition;
    std::uint64_t number;
  };
  /// Begin transaction `number` at the producer, before any `begun`.
  struct begin {
    std::uint64_t number;
  };
  /// The task may send into transaction `number` again.
  struct begun {
    int partition;
    std::uint64_t number;
  };
  /// L4: fresh id, claim every task again, then `opened`.
  struct retire_id {};
  /// L3: drop everything of this lane and start it anew.
  struct give_up {
    std::string reason;
    /// The task at fault, if it is one task's.
    std::optional<int> culprit;
  };
  /// After `stop`: the last commit is applied by every task.
  struct stopped {};

  using action = std::variant<seal, commit, apply, begin, begun, retire_id,
                              give_up, stopped>;
  using actions = std::vector<action>;

  /// Transactions are numbered from the one after `last` on.
  explicit lane_machine(std::uint64_t last = 0) : number_(last) {}

  /// The producer is initialised and the tasks' claims name it.
  actions opened();
  /// A restored task joins (L6: at once if a transaction is open and unsealed,
  /// else at the next begin). `first_commit`: rule R3.
  actions join(int partition, bool first_commit);
  /// T_c passed, or a task's overlay is large.
  actions want_commit();
  /// L9: ids and group offsets expire after 7 days without a commit: commit
  /// every task even if nothing changed.
  actions heartbeat();
  /// A task's changes are in the producer. `empty`: nothing to commit.
  actions sealed(int partition, std::uint64_t number, bool empty);
  /// At-least-once: every output of the task's commit is acknowledged.
  actions outputs_acknowledged(int partition, std::uint64_t number);
  actions committed(std::uint64_t number, bool retire);
  actions applied(int partition, std::uint64_t number);
  /// Commit, then process nothing more.
  actions stop();
  /// Any failure, of a task or of the producer.
  actions failed(std::string reason, std::optional<int> culprit);

  bool at_least_once = false;

  bool has(int partition) const { return tasks_.count(partition) > 0; }
  std::uint64_t transaction() const noexcept { return number_; }

private:
  enum class phase { closed, open, sealing, publishing, over };

  struct member {
    /// Takes part in the current transaction.
    bool in = false;
    /// Its next seal writes a commit record whatever changed.
    bool forced = false;
    bool sealed = false;
    bool empty = false;
    bool outputs_acknowledged = false;
    bool applying = false;
  };

  actions begin_next();
  void try_seal(actions& out);
  void try_publish(actions& out);
  void finish(actions& out);
  bool is_applying() const;

  phase phase_ = phase::closed;
  std::uint64_t number_;
  std::map<int, member> tasks_;
  bool commit_wanted_ = false;
  bool stopping_ = false;
  /// The running or last seal told the tasks to process nothing after it.
  bool last_seal_ = false;
};

} // namespace weir
