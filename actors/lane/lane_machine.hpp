// A lane as one machine with one state and one goal (rules H11 to H13, L3 to
// L7). Decides everything that a lane does; does nothing itself.
//
//            id_opened            want_commit        all sealed, acknowledged
//   opening ──────────> open ────────────────> sealing ──────────> publishing
//      ^                 ^ ^    all empty         │                    │
//      │                 │ └──────────────────────┘                    │
//      │                 ├──────── committed: begin n+1 <──────────────┤
//      │                 └── every claim moved ── retiring <── doubt ──┘
//   closed <── all gone ── failing <── any failure
//
// Used by the lane actor only; knows no actor, clock, producer or claim: an id
// is a number here, the actor knows its name. Every answer from outside names
// what it answers; an answer to something that is over is void.
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
  enum class phase {
    /// No id; a back-off timer runs.
    closed,
    /// An id is on its way.
    opening,
    /// Transaction n.
    open,
    sealing,
    publishing,
    /// L4: the old id is over, the fresh one and the claims are on their way.
    retiring,
    /// L3: every task ends.
    failing,
    ended,
  };
  /// What the lane is to do: never back to an earlier one.
  enum class goal {
    run,
    /// Every task leaves with its last commit.
    drain,
    /// The session is over: end without a commit and without the claims.
    drop,
  };
  /// Why a task leaves its lane (rule H13).
  enum class departure {
    none,
    stop,
    /// Its lane waits with it for the operator's decision (H28).
    park,
    /// To a lane of its own on this node (L8): its claim stays.
    own_lane,
  };

  // -- actions

  /// Initialise a fresh id; `id_opened` or `id_failed` with the same number.
  struct open_id {
    std::uint64_t id;
  };
  /// After a pause: `open_due`.
  struct open_later {
    std::uint64_t id;
  };
  /// The producers of this id are not used any more.
  struct drop_id {
    std::uint64_t id;
  };
  /// Fresh producers are in use from here on; the old id's are not, and the
  /// fencer ends it in the background.
  struct use_id {
    std::uint64_t id;
  };
  /// Claim and restore for the current id: `joined` or `bring_up_failed`.
  struct bring_up {
    int partition;
    std::uint64_t attempt;
  };
  /// The same after a pause: `bring_up_due`.
  struct bring_up_later {
    int partition;
    std::uint64_t attempt;
  };
  struct end_bring_up {
    int partition;
  };
  /// H12: set the claim by version, for the fresh id: `claim_moved`.
  struct move_claim {
    int partition;
    std::uint64_t id;
  };
  /// Ask for the seal of transaction `number`. `forced`: a commit record even
  /// if nothing changed. `last`: process nothing after it.
  struct seal {
    int partition;
    std::uint64_t number;
    bool forced;
    bool last;
  };
  struct commit {
    std::uint64_t number;
  };
  /// The transaction is durable: the task applies its frozen overlay.
  struct apply {
    int partition;
    std::uint64_t number;
  };
  /// Begin transaction `number` at the producer, before any `begun`.
  struct begin {
    std::uint64_t number;
  };
  /// The task may send into transaction `number`.
  struct begun {
    int partition;
    std::uint64_t number;
  };
  /// Destroy the task and close its database: `gone`. `clean`: its last commit
  /// is applied.
  struct end_task {
    int partition;
    bool clean;
  };
  /// H17: fence the id that its claim names if that is not in use, write why it
  /// is parked, release the claim: `let_gone`.
  struct let_go {
    int partition;
    std::uint64_t attempt;
    departure why;
  };
  struct end_let_go {
    int partition;
  };
  /// It is the lane's no more; its claim stands (`own_lane`).
  struct hand_on {
    int partition;
  };
  /// H12: `retire_due` if the lane is still retiring after the limit.
  struct limit_retiring {
    std::uint64_t id;
  };
  /// Nothing is left.
  struct end {};

  using action =
      std::variant<open_id, open_later, drop_id, use_id, bring_up,
                   bring_up_later, end_bring_up, move_claim, seal, commit,
                   apply, begin, begun, end_task, let_go, end_let_go, hand_on,
                   limit_retiring, end>;
  using actions = std::vector<action>;

  // -- what the lane is given

  /// Before `start`, or any time later.
  actions add(int partition);
  actions start();
  actions leave(int partition, departure why);
  actions drain();
  actions drop();
  /// T_c passed, or a task's overlay is large.
  actions want_commit();
  /// L9: ids expire after 7 days without a commit: commit every task.
  actions heartbeat();

  // -- answers

  actions id_opened(std::uint64_t id);
  actions id_failed(std::uint64_t id);
  actions open_due(std::uint64_t id);
  actions retire_due(std::uint64_t id);
  /// Its claim names the current id, its state is restored, its actor is
  /// there. `first_commit`: rule R3. @pre is_current
  actions joined(int partition, std::uint64_t attempt, bool first_commit);
  /// Again later.
  actions bring_up_failed(int partition, std::uint64_t attempt);
  actions bring_up_due(int partition, std::uint64_t attempt);
  actions claim_moved(int partition, std::uint64_t id, bool done);
  /// A task's changes are in the producer. `empty`: nothing to commit.
  actions sealed(int partition, std::uint64_t number, bool empty);
  /// At-least-once: every output of the task's commit is acknowledged.
  actions outputs_acknowledged(int partition, std::uint64_t number);
  /// `doubt`: rule L4.
  actions committed(std::uint64_t number, bool doubt);
  actions applied(int partition, std::uint64_t number);
  actions gone(int partition);
  actions let_gone(int partition, std::uint64_t attempt);

  // -- failures

  /// What becomes of a task through which the lane fails.
  struct fate {
    int partition;
    /// It comes back after a pause only.
    bool later = false;
    departure leaves = departure::none;
  };
  /// Any failure of lane or task, of commit, begin or send (L3, L6).
  actions fail(std::optional<fate> whose = std::nullopt);
  /// User code is not back: the lane fails and goes on without this task until
  /// its call has returned (`gone`).
  actions stuck(int partition, fate what);

  // -- questions

  phase state() const noexcept { return phase_; }
  goal wish() const noexcept { return goal_; }
  std::uint64_t transaction() const noexcept { return number_; }
  /// The id whose producers are in use; 0 = none.
  std::uint64_t id() const noexcept { return id_; }
  /// Whether an id that is on its way is still wanted.
  bool awaits_id(std::uint64_t id) const noexcept {
    return id == serial_ &&
           (phase_ == phase::opening || (phase_ == phase::retiring && !fresh_));
  }
  /// Whether a bring-up's or let-go's answer is still wanted.
  bool is_current(int partition, std::uint64_t attempt) const;
  bool hosts(int partition) const;
  /// Whether an apply is not answered yet.
  bool is_applying() const;
  /// Tasks whose seal is waited for.
  std::vector<int> unsealed() const;
  /// Everything that decides what comes next, without the numbers that only
  /// grow: for logs, and to tell states apart in an enumeration.
  std::string text() const;
  bool empty() const noexcept { return tasks_.empty(); }

  bool at_least_once = false;

private:
  enum class place {
    /// Waits for the lane to open.
    idle,
    /// A timer runs.
    waiting,
    /// A bring-up runs.
    coming,
    /// In the lane.
    hosted,
    /// Told to end.
    ending,
    /// Its claim is being let go.
    parting,
  };

  struct task {
    place where = place::idle;
    /// Counts bring-ups, timers and let-gos: what an answer has to name.
    std::uint64_t attempt = 0;
    /// The id that its acknowledged claim names.
    std::uint64_t claimed = 0;
    bool later = false;
    departure leaving = departure::none;
    /// Takes part in the current transaction.
    bool in = false;
    /// Its next seal writes a commit record whatever changed.
    bool forced = false;
    bool sealed = false;
    bool empty = false;
    bool acknowledged = false;
    bool applying = false;
    /// It was told that this seal is its last.
    bool last = false;
    /// Its claim is on its way to the fresh id.
    bool moving = false;
    /// Its end is not waited for.
    bool stuck = false;
  };

  // lane_machine.cpp: the transaction
  void begin_next(actions& out);
  void try_seal(actions& out);
  void try_publish(actions& out);
  void finish_empty(actions& out);
  // lane_machine_lives.cpp, lane_machine_tasks.cpp
  void open(actions& out);
  void bring_up_idle(actions& out);
  void bring_up_task(actions& out, int partition, task& x);
  void retire(actions& out);
  void move(actions& out, int partition, task& x);
  void try_go_on(actions& out);
  void leave_now(actions& out, int partition, task& x, bool clean);
  void depart(actions& out, int partition, departure why);
  void part(actions& out, int partition, task& x);
  void fail_with(actions& out, std::optional<fate> whose);
  void try_close(actions& out);
  void try_end(actions& out);
  bool may_bring_up() const noexcept;
  task* find(int partition);
  /// Null for an answer that is late: its task is elsewhere, or in a later
  /// attempt.
  task* find(int partition, place where, std::uint64_t attempt);

  phase phase_ = phase::closed;
  goal goal_ = goal::run;
  std::uint64_t number_ = 0;
  std::uint64_t serial_ = 0;
  std::uint64_t id_ = 0;
  /// Retiring: the fresh id is initialised.
  bool fresh_ = false;
  std::map<int, task> tasks_;
  bool commit_wanted_ = false;
};

const char* to_string(lane_machine::phase x) noexcept;

} // namespace weir
