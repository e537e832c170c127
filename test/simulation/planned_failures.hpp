// Errors that calls of a node end with, each so often: a cell of the table of
// failures (H27) at a time.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/failure/failure_policy.hpp"

namespace weir::sim {

/// Of a node into the systems outside of it, and into the user's code.
enum class node_call {
  read_claim,
  write_claim,
  fence,
  changelog_end,
  read_changelog,
  read_input,
  open_producer,
  begin,
  send,
  commit,
  read_store,
  user_code,
};

struct planned_failure {
  node_call at = node_call::commit;
  ec what = ec::timed_out;
  int times = 1;
  /// Not before this life of the run.
  int from_life = 0;
};

/// One thread. Goes on over the lives of a run.
class planned_failures {
public:
  explicit planned_failures(std::vector<planned_failure> all)
      : all_(std::move(all)) {}

  /// What this call ends with; nothing = it goes on.
  std::optional<error> hit(node_call at);

  void begin_life(int number) {
    life_ = number;
    parks_ = stops_node_ = false;
  }
  /// Whether a failure of this life has parked a task, or ended the node.
  bool parks() const noexcept { return parks_; }
  bool stops_node() const noexcept { return stops_node_; }
private:
  std::vector<planned_failure> all_;
  int life_ = 0;
  bool parks_ = false;
  bool stops_node_ = false;
};

/// The column of the table that a call's failures fall into.
failure_place place_of(node_call at) noexcept;

} // namespace weir::sim
