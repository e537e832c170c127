// The stream system of a simulated node: the embedded one, with small polls and
// with the faults that a broker has and the embedded log has not.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "runtime/base/executor.hpp"
#include "runtime/stream/stream.hpp"
#include "test/driver/virtual_time.hpp"
#include "test/simulation/claim_history.hpp"
#include "test/simulation/planned_failures.hpp"

namespace weir::sim {

/// In percent of the calls.
struct stream_faults {
  /// A commit succeeds, but the id must be retired (rule L4).
  unsigned retire = 0;
  /// A commit fails for its producer; it happened, or it did not, or it does
  /// later unless it is fenced before (rules L3, C1).
  unsigned lost_commit = 0;
  /// The producer's queue has no room.
  unsigned full = 0;
  /// An acknowledgement does not say the record's offset (rule R6).
  unsigned no_offset = 0;
  /// A fence times out (rule C6).
  unsigned fence_blocked = 0;
  /// Not in percent: so many polls of each changelog reader answer nothing, as
  /// behind a transaction that hangs (rule C6).
  unsigned silent_polls = 0;
  /// A producer cannot be opened in time.
  unsigned no_producer = 0;
  /// A changelog's end cannot be asked for in time: the bring-up fails.
  unsigned no_watermarks = 0;
};

/// What the brokers remember over the lives of a run.
struct stream_history {
  std::set<std::string> initialised;
  std::set<std::string> fenced;
  /// Transactions that were committed with something in them. The changelog
  /// keeps the last commit record only.
  std::uint64_t commits = 0;
  /// Low watermarks that retention has raised, by topic and partition.
  std::map<std::pair<std::string, int>, std::int64_t> kept_from;

  std::int64_t low_of(const std::string& topic, int partition,
                      std::int64_t low) const {
    auto i = kept_from.find({topic, partition});
    return i == kept_from.end() ? low : std::max(low, i->second);
  }
  /// Broken rules that only the brokers see.
  std::set<std::string> problems;
};

/// Lies of the stream system: each is what a broken rule looks like from below.
/// Only to show that the checker sees it.
enum class stream_lie {
  none,
  /// Fencing does nothing (rule C1).
  no_fence,
  /// A restore's target leaves out the last transaction (rule R4).
  early_target,
  /// A commit is reported that did not happen: the apply comes before it (L5).
  no_commit,
  /// A producer is not told that its commit failed (rule L3).
  hidden_failure,
};

/// What a node's stream system works on; shared by its readers and producers.
/// The references must outlive it.
struct stream_setup {
  std::shared_ptr<stream_system> base;
  stream_faults faults;
  stream_lie lie;
  /// Runs commits that arrive late; the network's, not the node's.
  std::shared_ptr<executor> late;
  /// Null: nobody asks which claim names a producer.
  std::shared_ptr<const claim_history> claims;
  sim_random& random;
  const virtual_time& time;
  stream_history& history;
  planned_failures& planned;
  /// Readers call their owner between its polls: other actors have their steps
  /// between the turns of a task's stretch.
  bool wakes = false;
  /// The node's process is dead: its calls do nothing.
  bool dead = false;

  bool hits(unsigned percent) {
    return percent > 0 && random.below(100) < percent;
  }
};

/// Polls answer with one to four records, so that a task's work is many steps.
/// As with brokers, a transaction that lasts longer than its time-out fails; a
/// commit that had to be sent again may end the id's next transaction half-way
/// (KAFKA-17754); and the last stable offset of a changelog is behind while
/// markers are written.
///
/// A record for a task's changelog whose claim has never named its producer
/// goes to the history's problems: nobody would fence that producer (H11).
std::shared_ptr<stream_system>
make_sim_streams(std::shared_ptr<stream_setup> setup);

/// A producer of such a system. `id`: its transactional id, empty if plain.
std::unique_ptr<producer>
make_sim_producer(std::unique_ptr<producer> base,
                  std::shared_ptr<stream_setup> setup, std::string id,
                  std::chrono::milliseconds transaction_timeout);

inline bool is_changelog(const std::string& topic) {
  return topic.ends_with("-changelog");
}

} // namespace weir::sim
